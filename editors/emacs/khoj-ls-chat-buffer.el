;;; khoj-ls-chat-buffer.el --- The text and the state of a chat  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What is kept of a conversation in its buffer, and how questions and answers
;; are written there, in Org or in Markdown.

;;; Code:

(require 'khoj-ls-place)
(require 'seq)
(require 'subr-x)

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

;;;; State

(defun khoj-ls-chat--running-p ()
  "Whether an answer is under way."
  (or khoj-ls-chat--turn khoj-ls-chat--call))

(defun khoj-ls-chat--set (state)
  "Show STATE, what is being done, or nil for nothing."
  (setq khoj-ls-chat--state (and state (replace-regexp-in-string "%" "%%" state)))
  (force-mode-line-update))

(defun khoj-ls-chat--over (why)
  "The turn ends without an answer; WHY is written where it would stand."
  (setq khoj-ls-chat--turn nil)
  (khoj-ls-chat--append (concat (if (= khoj-ls-chat--answer khoj-ls-chat--end) "" "\n\n")
                                (khoj-ls-chat--strong why)))
  (khoj-ls-chat--set nil))

;;;; Text

(declare-function org-link-escape "ol" (link))

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

(defun khoj-ls-chat--open-answer ()
  "Write the heading of an answer at point, and keep its place."
  (insert (khoj-ls-chat--heading "khoj_ls"))
  (setq khoj-ls-chat--answer (point-marker)
        khoj-ls-chat--end (copy-marker (point) t))
  (insert "\n")
  (set-marker khoj-ls-chat--end khoj-ls-chat--answer))

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

(defun khoj-ls-chat--joined (&rest parts)
  "PARTS of an answer, each nil or a text, with a blank line between them."
  (string-join (seq-remove (lambda (part) (or (null part) (string-empty-p part))) parts)
               "\n\n"))

(defun khoj-ls-chat--strong (text)
  "TEXT, made to stand out in the chat's format."
  (if khoj-ls-chat--org (format "*%s*" text) (format "**%s**" text)))

(defun khoj-ls-chat--bring-into-view (window)
  "Show the beginning of the answer in WINDOW, where all that follows fits below."
  (let ((heading (save-excursion (goto-char khoj-ls-chat--answer)
                                 (forward-line -2)
                                 (point))))
    (when (and (< heading (window-start window))
               (<= (count-screen-lines heading (point-max) t window)
                   (window-body-height window)))
      (set-window-start window heading))))

(provide 'khoj-ls-chat-buffer)
;;; khoj-ls-chat-buffer.el ends here
