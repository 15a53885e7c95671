;;; khoj-ls-chat-events.el --- What the server tells of answers  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; An answer arrives in events; each is taken by the buffer of its turn.

;;; Code:

(require 'khoj-ls-chat-buffer)
(require 'khoj-ls-connection)

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
       (khoj-ls-chat--set (format (ngettext "%d passage found; waiting for the answer…"
                                            "%d passages found; waiting for the answer…"
                                            count)
                                  count))))
    ("status" (khoj-ls-chat--set (plist-get event :message)))
    ("delta"
     (khoj-ls-chat--set "answering…")
     (khoj-ls-chat--append (plist-get event :text)))
    ("done" (khoj-ls-chat--done event))
    ("failed" (khoj-ls-chat--failed event))))

(defun khoj-ls-chat--done (event)
  "The answer is there: EVENT."
  (khoj-ls-chat--replace
   (khoj-ls-chat--joined (or (plist-get event :shown) (plist-get event :text))
                         (plist-get event :below)))
  (setq khoj-ls-chat--last khoj-ls-chat--turn
        khoj-ls-chat--turn nil)
  (mapc #'khoj-ls-chat--bring-into-view (get-buffer-window-list nil nil t))
  (khoj-ls-chat--set nil))

(declare-function khoj-ls-chat--ask-consent "khoj-ls-chat" (buffer consent))

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

(defun khoj-ls-chat--lost ()
  "The server has ended: so have the answers that were coming."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'khoj-ls-chat--turn buffer)
      (with-current-buffer buffer
        (setq khoj-ls-chat--last khoj-ls-chat--turn)
        (khoj-ls-chat--over "Not answered: the server has ended. Ask again.")))))

(add-hook 'khoj-ls-disconnected-hook #'khoj-ls-chat--lost)

(provide 'khoj-ls-chat-events)
;;; khoj-ls-chat-events.el ends here
