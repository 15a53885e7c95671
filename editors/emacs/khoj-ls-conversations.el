;;; khoj-ls-conversations.el --- Kept conversations, personas and models  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Conversations are kept with the index of their vault.  Here they are
;; found again, continued, renamed and deleted; and it is chosen who answers
;; a chat.

;;; Code:

(require 'khoj-ls-chat)
(require 'khoj-ls-connection)
(require 'khoj-ls-live)
(require 'khoj-ls-request)
(require 'khoj-ls-scope)
(require 'khoj-ls-search)

(defvar khoj-ls-conversations-history nil "What was looked for among conversations.")

(defun khoj-ls-conversations--day (time)
  "The day of TIME, which is ISO 8601, here."
  (propertize (format-time-string "%Y-%m-%d %H:%M" (date-to-time time)) 'face 'shadow))

(defun khoj-ls-conversations--line (item _width)
  "The conversation, or turn that was found, ITEM on a line."
  (if (plist-get item :question)
      (concat (khoj-ls-conversations--day (plist-get item :asked)) "  "
              (plist-get item :title) "  " (khoj-ls-search-snippet item))
    (concat (khoj-ls-conversations--day (plist-get item :updated)) "  "
            (plist-get item :title)
            (let ((turns (plist-get item :turns)))
              (propertize (format (ngettext "  %d question" "  %d questions" turns) turns)
                          'face 'shadow)))))

(defun khoj-ls-conversations--ask (input show)
  "Have SHOW called with the latest conversations, or those found for INPUT."
  (let ((list (string-blank-p input)))
    (khoj-ls-request-async
     :khoj/conversations
     (if list '(:action "list") `(:action "search" :query ,input))
     (lambda (result)
       (let ((items (append (plist-get result (if list :conversations :hits)) nil)))
         (funcall show items
                  (cond ((null items) (if list khoj-ls-no-conversations khoj-ls-no-hits))
                        ((eq t (plist-get result :degraded)) (plist-get result :reason))))))
     (lambda (problem) (funcall show nil (khoj-ls-error-text problem))))))

(defun khoj-ls-conversations--read (prompt)
  "Let a kept conversation be chosen with PROMPT; returns (ID TITLE), or nil."
  (khoj-ls-scope-prepare)
  (let ((item (car (khoj-ls-live-read prompt #'khoj-ls-conversations--ask
                                      :line #'khoj-ls-conversations--line
                                      :empty t
                                      :history 'khoj-ls-conversations-history))))
    (when item
      (list (or (plist-get item :conversation) (plist-get item :id))
            (plist-get item :title)))))

;;;###autoload
(defun khoj-ls-chat-continue ()
  "Go on with a kept conversation; type to search what was said."
  (interactive)
  (when-let ((chosen (khoj-ls-conversations--read "Continue conversation: ")))
    (khoj-ls-conversations--open (car chosen))))

(defun khoj-ls-conversations--open (id)
  "Show the conversation ID in a chat of its own, or in that which has it."
  (let ((open (seq-find (lambda (buffer)
                          (equal id (buffer-local-value 'khoj-ls-chat--conversation buffer)))
                        (buffer-list))))
    (pop-to-buffer (or open (khoj-ls-conversations--load id)) khoj-ls-chat-display)
    (unless open
      (goto-char khoj-ls-chat--prompt))))

(defun khoj-ls-conversations--load (id)
  "A chat that holds the conversation ID."
  (let* ((org (khoj-ls-chat--org-p))
         (result (khoj-ls-request :khoj/conversations
                                  `(:action "get" :conversation ,id
                                    :format ,(if org "org" "markdown"))))
         (info (plist-get result :conversation))
         (buffer (khoj-ls-chat--new (plist-get info :title) org)))
    (with-current-buffer buffer
      (setq khoj-ls-chat--conversation (plist-get info :id)
            khoj-ls-chat--persona (plist-get info :persona)
            khoj-ls-chat--vault (plist-get info :vault))
      (mapc #'khoj-ls-conversations--insert (plist-get result :turns))
      (khoj-ls-chat--ask-for-next)
      (set-buffer-modified-p nil))
    buffer))

(defun khoj-ls-conversations--insert (turn)
  "Write the kept TURN at the end of the current chat."
  (goto-char (point-max))
  (insert "\n" (khoj-ls-chat--heading "You"))
  (setq khoj-ls-chat--question (point-marker))
  (insert (plist-get turn :question) "\n\n")
  (khoj-ls-chat--open-answer)
  (let ((problem (plist-get turn :message)))
    (khoj-ls-chat--replace
     (khoj-ls-chat--joined (or (plist-get turn :shown) (plist-get turn :answer))
                           (plist-get turn :below)
                           (unless (member problem '(nil ""))
                             (khoj-ls-chat--strong problem)))))
  (setq khoj-ls-chat--last (plist-get turn :id)))

;;;###autoload
(defun khoj-ls-chat-rename ()
  "Give the conversation of this chat, or one that you choose, another title."
  (interactive)
  (when-let ((chosen (khoj-ls-conversations--this-or-other "Rename conversation: ")))
    (let ((title (read-string "New title: " (cadr chosen))))
      (khoj-ls-request :khoj/conversations
                       `(:action "rename" :conversation ,(car chosen) :title ,title))
      (dolist (buffer (buffer-list))
        (when (equal (car chosen) (buffer-local-value 'khoj-ls-chat--conversation buffer))
          (with-current-buffer buffer
            (unless (buffer-file-name)
              (rename-buffer (format "*khoj-ls chat: %s*" title) t)))))
      (message "khoj-ls: renamed to %s" title))))

;;;###autoload
(defun khoj-ls-chat-delete ()
  "Delete the conversation of this chat, or one that you choose."
  (interactive)
  (when-let ((chosen (khoj-ls-conversations--this-or-other "Delete conversation: ")))
    (when (yes-or-no-p (format "Delete the conversation \"%s\" for good? " (cadr chosen)))
      (khoj-ls-request :khoj/conversations `(:action "delete" :conversation ,(car chosen)))
      (dolist (buffer (buffer-list))
        (when (equal (car chosen) (buffer-local-value 'khoj-ls-chat--conversation buffer))
          (with-current-buffer buffer
            (setq khoj-ls-chat--conversation nil khoj-ls-chat--last nil))))
      (message "khoj-ls: deleted \"%s\"" (cadr chosen)))))

(defun khoj-ls-conversations--this-or-other (prompt)
  "The conversation of the current chat as (ID TITLE), or one chosen with PROMPT."
  (if khoj-ls-chat--conversation
      (let ((info (plist-get (khoj-ls-request :khoj/conversations
                                              `(:action "get" :conversation ,khoj-ls-chat--conversation))
                             :conversation)))
        (list khoj-ls-chat--conversation (plist-get info :title)))
    (khoj-ls-conversations--read prompt)))

;;;; Who answers

(defun khoj-ls-conversations--choose (prompt items name about)
  "Let one of ITEMS be chosen with PROMPT by what NAME gives; ABOUT annotates it.
Returns its name; an empty input means what the settings have, and gives nil."
  (let* ((names (mapcar name items))
         (chosen (completing-read
                  (format "%s (empty: as in the settings): " prompt)
                  (lambda (string predicate action)
                    (if (eq action 'metadata)
                        `(metadata (annotation-function
                                    . ,(lambda (each)
                                         (let ((item (seq-find (lambda (item)
                                                                 (equal each (funcall name item)))
                                                               items)))
                                           (concat "  " (propertize (funcall about item)
                                                                    'face 'shadow)))))
                                   (display-sort-function . identity))
                      (complete-with-action action names string predicate)))
                  nil t)))
    (unless (string-empty-p chosen) chosen)))

(defun khoj-ls-conversations--choices ()
  "What there is to choose from."
  (khoj-ls-scope-prepare)
  (khoj-ls-request :khoj/choices (and khoj-ls-chat--vault `(:vault ,khoj-ls-chat--vault))))

;;;###autoload
(defun khoj-ls-chat-persona ()
  "Choose who answers in this chat; elsewhere, in new ones."
  (interactive)
  (let ((name (khoj-ls-conversations--choose
               "Persona" (append (plist-get (khoj-ls-conversations--choices) :personas) nil)
               (lambda (each) (plist-get each :name))
               (lambda (each) (plist-get each :about)))))
    (if khoj-ls-chat-mode
        (progn (setq khoj-ls-chat--persona name)
               (force-mode-line-update))
      (setq khoj-ls-chat-persona name))))

;;;###autoload
(defun khoj-ls-chat-model ()
  "Choose which model answers in this chat; elsewhere, in new ones."
  (interactive)
  (let ((name (khoj-ls-conversations--choose
               "Model" (cons '(:name "none" :host "" :about "the passages themselves, no model")
                             (append (plist-get (khoj-ls-conversations--choices) :models) nil))
               (lambda (each) (plist-get each :name))
               #'khoj-ls-conversations--model)))
    (if khoj-ls-chat-mode
        (progn (setq khoj-ls-chat--model name)
               (force-mode-line-update))
      (setq khoj-ls-chat-model name))))

(defun khoj-ls-conversations--model (model)
  "What to say of MODEL beside its name."
  (or (plist-get model :about)
      (string-join
       (delq nil
             (list (if (eq t (plist-get model :remote))
                       (format "at %s" (plist-get model :host))
                     "on this machine")
                   (and (equal "missing" (plist-get model :key)) "its key is missing")
                   (and (eq :json-false (plist-get model :installed)) "not installed")
                   (and (eq t (plist-get model :vision)) "sees pictures")))
       ", ")))

(provide 'khoj-ls-conversations)
;;; khoj-ls-conversations.el ends here
