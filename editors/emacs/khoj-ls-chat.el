;;; khoj-ls-chat.el --- Chat with your notes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A conversation in an Org or Markdown buffer: write below the last heading
;; and send it; the answer streams in, its citations are links of that
;; format.  What is written is sent nowhere before you say so.
;;
;; The buffer is an ordinary one: save it as a note if you like.

;;; Code:

(require 'cl-lib)
(require 'khoj-ls-connection)
(require 'khoj-ls-links)
(require 'khoj-ls-place)
(require 'khoj-ls-scope)
(require 'khoj-ls-sync)

(defcustom khoj-ls-chat-format 'auto
  "What chats are written in.
`auto': as the note you come from; from elsewhere Org."
  :group 'khoj-ls
  :type '(choice (const :tag "As the note you come from" auto) (const org) (const markdown)))

(defcustom khoj-ls-chat-persona nil
  "Who answers new chats; nil: as the server's settings have it."
  :group 'khoj-ls
  :type '(choice (const :tag "As in the server's settings" nil) string))

(defcustom khoj-ls-chat-model nil
  "Which model answers new chats, PROVIDER/NAME or a preset.
With nil as the server's settings have it; \"none\" gives the passages
themselves and asks no model."
  :group 'khoj-ls
  :type '(choice (const :tag "As in the server's settings" nil) string))

(defcustom khoj-ls-chat-display
  '((display-buffer-reuse-window display-buffer-pop-up-window))
  "How a chat is shown: an action for `display-buffer'."
  :group 'khoj-ls
  :type 'sexp)

(defvar-local khoj-ls-chat--org nil "Whether the chat is written in Org.")
(defvar-local khoj-ls-chat--conversation nil "Id of the conversation, once there is one.")
(defvar-local khoj-ls-chat--persona nil "Who answers, or nil.")
(defvar-local khoj-ls-chat--model nil "Which model answers, or nil.")
(defvar-local khoj-ls-chat--context nil "What it is about: ChatContext values.")
(defvar-local khoj-ls-chat--document nil "The note it was begun in, or nil.")
(defvar-local khoj-ls-chat--vault nil "Folder of the vault, where it is known.")
(defvar-local khoj-ls-chat--call nil "The request that begins a turn, while it runs.")
(defvar-local khoj-ls-chat--turn nil "Id of the turn that is being answered.")
(defvar-local khoj-ls-chat--last nil "Id of the turn that was answered last.")
(defvar-local khoj-ls-chat--host nil "The service that a yes is wanted for.")
(defvar-local khoj-ls-chat--state nil "What is being done, for people.")
(defvar-local khoj-ls-chat--question nil "Marker: where the last question begins.")
(defvar-local khoj-ls-chat--answer nil "Marker: where its answer begins.")
(defvar-local khoj-ls-chat--end nil "Marker: where its answer ends.")
(defvar-local khoj-ls-chat--prompt nil "Marker: where the next question is written.")

(defvar khoj-ls-chat-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'khoj-ls-chat-send)
    (define-key map (kbd "C-c C-k") #'khoj-ls-chat-stop)
    (define-key map (kbd "C-c C-r") #'khoj-ls-chat-retry)
    (define-key map (kbd "C-c ,") #'khoj-ls-chat-menu)
    (define-key map [remap markdown-follow-thing-at-point] #'khoj-ls-chat-follow)
    (define-key map [remap markdown-follow-link-at-point] #'khoj-ls-chat-follow)
    map)
  "Keys in a chat.")

(declare-function khoj-ls-chat-menu "khoj-ls-menu")

(define-minor-mode khoj-ls-chat-mode
  "Chat with your notes: write below the last heading and send it.
\\{khoj-ls-chat-mode-map}"
  :lighter " Chat"
  :interactive nil
  (if (not khoj-ls-chat-mode)
      (setq header-line-format nil)
    (setq-local header-line-format '(:eval (khoj-ls-chat--header))
                browse-url-handlers (cons '("\\`file://" . khoj-ls-open-url)
                                          (bound-and-true-p browse-url-handlers)))
    (unless (derived-mode-p 'org-mode)
      ;; Org shows the words of a link alone; here its address is hidden, too.
      (font-lock-add-keywords
       nil '(("\\]\\((file://[^) \n]*)\\)" 1 '(face nil invisible khoj-ls-address) t)) 'append)
      (setq-local font-lock-extra-managed-props
                  (cons 'invisible (remq 'invisible font-lock-extra-managed-props)))
      (add-to-invisibility-spec 'khoj-ls-address))
    (add-hook 'kill-buffer-hook #'khoj-ls-chat--forget nil t)))

(defun khoj-ls-chat--header ()
  "The line above a chat: who answers, and what is being done."
  (let ((keys (lambda (text) (substitute-command-keys text))))
    (concat " " (or khoj-ls-chat--persona "default persona")
            " · " (or khoj-ls-chat--model "default model")
            "   "
            (cond (khoj-ls-chat--state
                   (concat khoj-ls-chat--state
                           (funcall keys "   \\<khoj-ls-chat-mode-map>\\[khoj-ls-chat-stop] stops it")))
                  (t (funcall keys "\\<khoj-ls-chat-mode-map>\\[khoj-ls-chat-send] asks  \\[khoj-ls-chat-retry] asks again  \\[khoj-ls-chat-menu] more"))))))

(defun khoj-ls-chat--set (state)
  "Show STATE, what is being done, or nil for nothing."
  (setq khoj-ls-chat--state (and state (replace-regexp-in-string "%" "%%" state)))
  (force-mode-line-update))

;;;; A new chat

(declare-function org-mode "org")
(declare-function org-link-escape "ol" (link))
(declare-function markdown-mode "markdown-mode")

(defun khoj-ls-chat--org-p ()
  "Whether a chat that is begun in the current buffer is written in Org."
  (pcase khoj-ls-chat-format
    ('org t)
    ('markdown nil)
    (_ (not (derived-mode-p 'markdown-mode)))))

(defun khoj-ls-chat--new (title org)
  "A buffer for a chat called TITLE, in ORG or in Markdown."
  (let ((buffer (generate-new-buffer (format "*khoj-ls chat: %s*" title))))
    (with-current-buffer buffer
      (cond (org (org-mode))
            ((fboundp 'markdown-mode) (markdown-mode))
            (t (text-mode)))
      (setq default-directory (expand-file-name "~/"))
      (setq khoj-ls-chat--org org
            khoj-ls-chat--persona khoj-ls-chat-persona
            khoj-ls-chat--model khoj-ls-chat-model)
      (visual-line-mode 1)
      (khoj-ls-chat-mode 1)
      (insert (if org (format "#+title: %s\n" title) (format "# %s\n" title))))
    buffer))

(defun khoj-ls-chat--heading (words)
  "The line of the heading WORDS."
  (format "%s %s\n\n" (if khoj-ls-chat--org "*" "##") words))

(defun khoj-ls-chat--ask-for-next ()
  "Write the heading below which the next question goes, at the end."
  (goto-char (point-max))
  (insert "\n" (khoj-ls-chat--heading "You"))
  (setq khoj-ls-chat--prompt (point-marker)))

(defun khoj-ls-chat--link (file line words)
  "A link with WORDS to LINE of FILE in the chat's format."
  (if khoj-ls-chat--org
      (format "[[file:%s%s][%s]]" (org-link-escape file)
              (if line (format "::%d" line) "")
              (replace-regexp-in-string "[][]" "" words))
    (format "[%s](%s%s)" (replace-regexp-in-string "[][]" "" words)
            (khoj-ls-path-to-uri file) (if line (format "#L%d" line) ""))))

(defun khoj-ls-chat--about (&optional whole)
  "What a chat begun here is about: a list (CONTEXT LABEL FILE LINE), or nil.
The region of a note, or with WHOLE all of it."
  (let ((file (and (or whole (use-region-p)) (khoj-ls-local-file))))
    (cond
     ((null file) nil)
     ((use-region-p)
      (let ((first (line-number-at-pos (region-beginning) t))
            (last (line-number-at-pos (max (region-beginning) (1- (region-end))) t)))
        (list `(:kind "selection" :textDocument ,(khoj-ls-document)
                :range ,(khoj-ls-range (region-beginning) (region-end)))
              (format "%s:%d-%d" (file-name-nondirectory file) first last)
              file first)))
     (t (list `(:kind "note" :textDocument ,(khoj-ls-document))
              (file-name-nondirectory file) file nil)))))

(defun khoj-ls-chat--quoted-region ()
  "The region of a buffer that is no note, for a question, or nil."
  (and (use-region-p) (not (khoj-ls-local-file))
       (buffer-substring-no-properties (region-beginning) (region-end))))

(defun khoj-ls-chat--begin (about quoted)
  "A new chat ABOUT something; QUOTED is put below the question."
  (khoj-ls-scope-prepare)
  (let* ((org (khoj-ls-chat--org-p))
         (document (khoj-ls-scope-document))
         (buffer (khoj-ls-chat--new (if about (nth 1 about) "notes") org)))
    (deactivate-mark)
    (with-current-buffer buffer
      (setq khoj-ls-chat--document document)
      (when about
        (setq khoj-ls-chat--context (list (car about)))
        (insert "\nAbout " (khoj-ls-chat--link (nth 2 about) (nth 3 about) (nth 1 about)) ".\n"))
      (khoj-ls-chat--ask-for-next)
      (when quoted
        (save-excursion
          (insert "\n\n" (replace-regexp-in-string "^" (if org ": " "> ") (string-trim-right quoted)) "\n")))
      (set-buffer-modified-p nil))
    (pop-to-buffer buffer khoj-ls-chat-display)))

;;;###autoload
(defun khoj-ls-chat (&optional whole)
  "Begin a chat with your notes.
It is about the region, if one is active; with a prefix argument, or WHOLE
non-nil, about this note.  Otherwise passages are searched for in all notes."
  (interactive "P")
  (khoj-ls-chat--begin (khoj-ls-chat--about whole) (khoj-ls-chat--quoted-region)))

;;;###autoload
(defun khoj-ls-ask-region (question)
  "Ask QUESTION about the region, in a new chat."
  (interactive
   (progn (unless (use-region-p)
            (khoj-ls-user-error "Mark what the question is about first"))
          (list (read-string "Ask about the region: "))))
  (when (string-blank-p question)
    (khoj-ls-user-error "No question"))
  (khoj-ls-chat--begin (khoj-ls-chat--about) (khoj-ls-chat--quoted-region))
  (insert question)
  (khoj-ls-chat-send))

;;;; Asking

(defun khoj-ls-chat--check ()
  "An error where the current buffer is no chat."
  (unless khoj-ls-chat-mode
    (khoj-ls-user-error "This buffer is no chat: begin one by `khoj-ls-chat'")))

(defun khoj-ls-chat--running-p ()
  "Whether an answer is under way."
  (or khoj-ls-chat--turn khoj-ls-chat--call))

(defun khoj-ls-chat-send ()
  "Ask what is written below the last heading.
Elsewhere than there this is what the key does in the buffer's mode."
  (interactive)
  (khoj-ls-chat--check)
  (if (and (called-interactively-p 'any)
           (< (point) (save-excursion (goto-char khoj-ls-chat--prompt)
                                      (forward-line -2) (point))))
      (khoj-ls-chat--other-command)
    (when (khoj-ls-chat--running-p)
      (khoj-ls-user-error "An answer is still coming"))
    (let ((question (string-trim (buffer-substring-no-properties
                                  khoj-ls-chat--prompt (point-max)))))
      (when (string-empty-p question)
        (khoj-ls-user-error "Write your question below the last heading"))
      (setq khoj-ls-chat--question (copy-marker khoj-ls-chat--prompt))
      (goto-char (point-max))
      (skip-chars-backward " \t\n")
      (delete-region (point) (point-max))
      (insert "\n\n")
      (khoj-ls-chat--open-answer)
      (khoj-ls-chat--ask-for-next)
      (khoj-ls-chat--ask question nil))))

(defun khoj-ls-chat--other-command ()
  "Do what the key that was pressed does without us."
  (let* ((khoj-ls-chat-mode nil)
         (command (key-binding (this-command-keys-vector))))
    (if (commandp command)
        (call-interactively command)
      (khoj-ls-user-error "Write your question below the last heading"))))

(defun khoj-ls-chat--open-answer ()
  "Write the heading of an answer at point, and keep its place."
  (insert (khoj-ls-chat--heading "khoj_ls"))
  (setq khoj-ls-chat--answer (point-marker)
        khoj-ls-chat--end (copy-marker (point) t))
  (insert "\n")
  (set-marker khoj-ls-chat--end khoj-ls-chat--answer))

(defun khoj-ls-chat--ask (question replaces)
  "Ask QUESTION, in the place of the turn REPLACES if non-nil."
  (let ((buffer (current-buffer)))
    (setq khoj-ls-chat--host nil)
    (khoj-ls-chat--set "searching…")
    (setq khoj-ls-chat--call
          (khoj-ls-request-async
           :khoj/chat (khoj-ls-chat--parameters question replaces)
           (lambda (started) (khoj-ls-chat--started buffer started))
           (lambda (problem) (khoj-ls-chat--broken buffer problem))))))

(defun khoj-ls-chat--parameters (question replaces)
  "What khoj/chat is asked for QUESTION, in place of REPLACES."
  `(:message ,question
    :format ,(if khoj-ls-chat--org "org" "markdown")
    ,@(and khoj-ls-chat--conversation `(:conversation ,khoj-ls-chat--conversation))
    ,@(and replaces `(:replaces ,replaces))
    ,@(and khoj-ls-chat--persona `(:persona ,khoj-ls-chat--persona))
    ,@(and khoj-ls-chat--model `(:model ,khoj-ls-chat--model))
    ,@(and khoj-ls-chat--context `(:context ,(vconcat khoj-ls-chat--context)))
    ,@(and khoj-ls-chat--vault `(:vault ,khoj-ls-chat--vault))
    ,@(and khoj-ls-chat--document `(:textDocument ,khoj-ls-chat--document))))

(defun khoj-ls-chat--started (buffer started)
  "The turn STARTED is under way for BUFFER."
  (if (not (buffer-live-p buffer))
      (khoj-ls-notify :khoj/chat/cancel `(:turn ,(plist-get started :turn)))
    (with-current-buffer buffer
      (setq khoj-ls-chat--call nil
            khoj-ls-chat--conversation (plist-get started :conversation)
            khoj-ls-chat--turn (plist-get started :turn)))))

(defun khoj-ls-chat--broken (buffer problem)
  "The turn of BUFFER could not be begun, or its server has ended: PROBLEM."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (setq khoj-ls-chat--call nil)
      (khoj-ls-chat--over (format "Not answered: %s" (plist-get problem :message))))))

(defun khoj-ls-chat-stop ()
  "Stop the answer that is coming; what has arrived stays."
  (interactive)
  (khoj-ls-chat--check)
  (cond (khoj-ls-chat--turn
         (khoj-ls-request-async :khoj/chat/cancel `(:turn ,khoj-ls-chat--turn) #'ignore))
        (khoj-ls-chat--call
         (khoj-ls-cancel khoj-ls-chat--call)
         (setq khoj-ls-chat--call nil)
         (khoj-ls-chat--over "Stopped."))
        (t (message "khoj-ls: no answer is coming"))))

(defun khoj-ls-chat-retry ()
  "Ask the last question again, as it stands now.
The new answer takes the place of the old one."
  (interactive)
  (khoj-ls-chat--check)
  (when (khoj-ls-chat--running-p)
    (khoj-ls-user-error "An answer is still coming"))
  (unless (and khoj-ls-chat--question (marker-position khoj-ls-chat--question))
    (khoj-ls-user-error "Nothing was asked yet"))
  (let* ((heading (save-excursion (goto-char khoj-ls-chat--answer)
                                  (forward-line -2) (point)))
         (question (string-trim (buffer-substring-no-properties
                                 khoj-ls-chat--question heading))))
    (when khoj-ls-chat--host
      (khoj-ls-chat--allow khoj-ls-chat--host))
    (save-excursion
      (delete-region khoj-ls-chat--answer khoj-ls-chat--end))
    (khoj-ls-chat--ask question khoj-ls-chat--last)))

;;;; Events

(defun khoj-ls-chat--told (method event)
  "Take the EVENT of a turn, if METHOD says that it is one."
  (when (eq method 'khoj/chatEvent)
    (let ((turn (plist-get event :turn)))
      (dolist (buffer (buffer-list))
        (when (equal turn (buffer-local-value 'khoj-ls-chat--turn buffer))
          (with-current-buffer buffer
            (khoj-ls-chat--event event)))))))

(add-hook 'khoj-ls-notification-functions #'khoj-ls-chat--told)

(defun khoj-ls-chat--event (event)
  "Take the EVENT of the turn of the current buffer."
  (pcase (plist-get event :kind)
    ("sources"
     (let ((count (length (plist-get event :sources))))
       (khoj-ls-chat--set (format "%d passage%s found; waiting for the answer…"
                                  count (if (= count 1) "" "s")))))
    ("status" (khoj-ls-chat--set (plist-get event :message)))
    ("delta"
     (khoj-ls-chat--set "answering…")
     (khoj-ls-chat--append (plist-get event :text)))
    ("done" (khoj-ls-chat--done event))
    ("failed" (khoj-ls-chat--failed event))))

(defun khoj-ls-chat--append (text)
  "Write TEXT behind what has arrived of the answer."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char khoj-ls-chat--end)
      (let ((inhibit-read-only t))
        (insert text)))))

(defun khoj-ls-chat--replace (text)
  "Put TEXT in the place of what has arrived of the answer."
  (save-excursion
    (save-restriction
      (widen)
      (let ((inhibit-read-only t))
        (goto-char khoj-ls-chat--answer)
        (delete-region khoj-ls-chat--answer khoj-ls-chat--end)
        (insert text)
        (set-marker khoj-ls-chat--end (point))))))

(defun khoj-ls-chat--strong (text)
  "TEXT, made to stand out in the chat's format."
  (if khoj-ls-chat--org (format "*%s*" text) (format "**%s**" text)))

(defun khoj-ls-chat--done (event)
  "The answer is there: EVENT."
  (let ((below (plist-get event :below)))
    (khoj-ls-chat--replace
     (concat (or (plist-get event :shown) (plist-get event :text))
             (and below (not (string-empty-p below)) (concat "\n\n" below)))))
  (setq khoj-ls-chat--last khoj-ls-chat--turn
        khoj-ls-chat--turn nil)
  (mapc #'khoj-ls-chat--bring-into-view (get-buffer-window-list nil nil t))
  (khoj-ls-chat--set nil))

(defun khoj-ls-chat--bring-into-view (window)
  "Show the beginning of the answer in WINDOW, where all that follows fits below."
  (let ((heading (save-excursion (goto-char khoj-ls-chat--answer)
                                 (forward-line -2)
                                 (point))))
    (when (and (< heading (window-start window))
               (<= (count-screen-lines heading (point-max) t window)
                   (window-body-height window)))
      (set-window-start window heading))))

(defun khoj-ls-chat--failed (event)
  "The answer has come to a bad end: EVENT."
  (setq khoj-ls-chat--last khoj-ls-chat--turn
        khoj-ls-chat--turn nil)
  (when-let ((shown (plist-get event :shown)))
    (khoj-ls-chat--replace shown))
  (let ((consent (plist-get event :consent)))
    (cond
     (consent
      (setq khoj-ls-chat--host (plist-get consent :host))
      (khoj-ls-chat--over (format "Nothing was sent: %s wants your yes. Ask again to be asked for it."
                                  khoj-ls-chat--host))
      (run-at-time 0 nil #'khoj-ls-chat--ask-consent (current-buffer) consent))
     ((equal (plist-get event :code) "khoj.cancelled") (khoj-ls-chat--over "Stopped."))
     (t (khoj-ls-chat--over (format "Not answered: %s" (plist-get event :message)))))))

(defun khoj-ls-chat--over (why)
  "The turn ends without an answer; WHY is written where it would stand."
  (setq khoj-ls-chat--turn nil)
  (save-excursion
    (goto-char khoj-ls-chat--end)
    (khoj-ls-chat--append (concat (cond ((= khoj-ls-chat--answer khoj-ls-chat--end) "")
                                        ((bolp) "")
                                        (t "\n\n"))
                                  (khoj-ls-chat--strong why))))
  (khoj-ls-chat--set nil))

(defun khoj-ls-chat--ask-consent (buffer consent)
  "Ask whether what CONSENT tells may be sent, where BUFFER is seen, and ask again."
  (when (and (buffer-live-p buffer) (get-buffer-window buffer t))
    (with-current-buffer buffer
      (let ((cost (plist-get consent :cost)))
        (when (let ((enable-recursive-minibuffers t))
                (y-or-n-p (format "Send about %d tokens with passages of your notes to %s%s? "
                                  (plist-get consent :tokens) (plist-get consent :host)
                                  (if (numberp cost) (format " (about $%.2g)" cost) ""))))
          (khoj-ls-request :khoj/allowHost `(:host ,(plist-get consent :host)))
          (setq khoj-ls-chat--host nil)
          (khoj-ls-chat-retry))))))

(defun khoj-ls-chat--allow (host)
  "Ask for a yes to sending passages to HOST, and have it noted."
  (unless (y-or-n-p (format "Send passages of your notes to %s, now and from now on? " host))
    (khoj-ls-user-error "Nothing was sent"))
  (khoj-ls-request :khoj/allowHost `(:host ,host))
  (setq khoj-ls-chat--host nil))

(defun khoj-ls-chat--lost ()
  "The server has ended: so have the answers that were coming."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'khoj-ls-chat--turn buffer)
      (with-current-buffer buffer
        (setq khoj-ls-chat--last khoj-ls-chat--turn)
        (khoj-ls-chat--over "Not answered: the server has ended. Ask again.")))))

(add-hook 'khoj-ls-disconnected-hook #'khoj-ls-chat--lost)

(defun khoj-ls-chat--forget ()
  "The buffer is gone: call the answer off."
  (khoj-ls-cancel khoj-ls-chat--call)
  (when (and khoj-ls-chat--turn (khoj-ls-connection-ready-p))
    (khoj-ls-request-async :khoj/chat/cancel `(:turn ,khoj-ls-chat--turn) #'ignore #'ignore)))

;;;; Links in a chat

(declare-function markdown-link-url "markdown-mode")
(declare-function markdown-link-p "markdown-mode")
(declare-function markdown-follow-thing-at-point "markdown-mode" (arg))

(defun khoj-ls-chat-follow (&optional event)
  "Open the link at point, or at the mouse EVENT, in a window beside the chat."
  (interactive (list last-nonmenu-event))
  (when (mouse-event-p event)
    (posn-set-point (event-start event)))
  (let ((url (and (markdown-link-p) (markdown-link-url))))
    (if (and url (string-prefix-p "file:" url))
        (khoj-ls-chat--visit url)
      (markdown-follow-thing-at-point nil))))

(defun khoj-ls-chat--visit (url)
  "Show what URL names beside the chat."
  (let ((line (and (string-match "#L\\([0-9]+\\)" url)
                   (string-to-number (match-string 1 url)))))
    (khoj-ls-visit url `(:line ,(1- (or line 1)) :character 0) t)))

(provide 'khoj-ls-chat)
;;; khoj-ls-chat.el ends here
