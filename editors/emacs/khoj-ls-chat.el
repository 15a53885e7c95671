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

(require 'khoj-ls-chat-buffer)
(require 'khoj-ls-chat-events)
(require 'khoj-ls-connection)
(require 'khoj-ls-links)
(require 'khoj-ls-place)
(require 'khoj-ls-request)
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

;;;; A new chat

(declare-function org-mode "org")
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

(defun khoj-ls-chat--check-quiet ()
  "An error, before anything is changed, where nothing can be asked now."
  (when (khoj-ls-chat--running-p)
    (khoj-ls-user-error "An answer is still coming"))
  (khoj-ls-connect))

(defun khoj-ls-chat-send ()
  "Ask what is written below the last heading.
Elsewhere than there this is what the key does in the buffer's mode."
  (interactive)
  (khoj-ls-chat--check)
  (if (and (called-interactively-p 'any)
           (< (point) (save-excursion (goto-char khoj-ls-chat--prompt)
                                      (forward-line -2) (point))))
      (khoj-ls-chat--other-command)
    (khoj-ls-chat--check-quiet)
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
  (khoj-ls-chat--check-quiet)
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

(defun khoj-ls-chat--forget ()
  "The buffer is gone: call the answer off."
  (khoj-ls-cancel khoj-ls-chat--call)
  (when (and khoj-ls-chat--turn (khoj-ls-connection-ready-p))
    (khoj-ls-request-async :khoj/chat/cancel `(:turn ,khoj-ls-chat--turn) #'ignore #'ignore)))

;;;; The yes to a service

(defun khoj-ls-chat--ask-consent (buffer consent)
  "Ask whether what CONSENT tells may be sent, and ask again in BUFFER if so.
Only where BUFFER is in the selected window; a key that is meant for what
is typed there must not count as a yes, so that is asked for in full."
  (when (and (buffer-live-p buffer) (eq buffer (window-buffer (selected-window))))
    (with-current-buffer buffer
      (let ((cost (plist-get consent :cost)) (use-short-answers nil))
        (when (yes-or-no-p (format "Send about %d tokens with passages of your notes to %s%s? "
                                   (plist-get consent :tokens) (plist-get consent :host)
                                   (if (numberp cost) (format " (about $%.2g)" cost) "")))
          (khoj-ls-request :khoj/allowHost `(:host ,(plist-get consent :host)))
          (setq khoj-ls-chat--host nil)
          (khoj-ls-chat-retry))))))

(defun khoj-ls-chat--allow (host)
  "Ask for a yes to sending passages to HOST, and have it noted."
  (unless (y-or-n-p (format "Send passages of your notes to %s, now and from now on? " host))
    (khoj-ls-user-error "Nothing was sent"))
  (khoj-ls-request :khoj/allowHost `(:host ,host))
  (setq khoj-ls-chat--host nil))

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
