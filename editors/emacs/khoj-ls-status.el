;;; khoj-ls-status.el --- How the index is  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What is indexed, what waits and what failed; and the work on the index.

;;; Code:

(require 'khoj-ls-connection)
(require 'khoj-ls-place)
(require 'khoj-ls-request)
(require 'khoj-ls-scope)

(defconst khoj-ls-status--buffer "*khoj-ls status*")

(defconst khoj-ls-status--delay 1
  "Seconds after which it is looked again while there is work under way.")

(defconst khoj-ls-status--phases
  '(("idle" . "up to date")
    ("scan" . "looking for changes")
    ("words" . "reading notes")
    ("chunk" . "cutting passages")
    ("embed" . "embedding")
    ("model" . "preparing the model")
    ("paused" . "paused")
    ("read-only" . "read by another process")
    ("offline" . "folder not there"))
  "What a vault may be doing, for people.")

(defvar khoj-ls-status--timer nil "Looks again.")

(defvar khoj-ls-status-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "i") #'khoj-ls-reindex)
    (define-key map (kbd "P") #'khoj-ls-pause)
    (define-key map (kbd "R") #'khoj-ls-resume)
    (define-key map (kbd "TAB") #'forward-button)
    (define-key map (kbd "<backtab>") #'backward-button)
    map)
  "Keys where the status is shown.")

(define-derived-mode khoj-ls-status-mode special-mode "khoj-ls status"
  "How the daemon and the vaults are.
\\{khoj-ls-status-mode-map}"
  (setq-local revert-buffer-function (lambda (&rest _) (khoj-ls-status--refresh))
              word-wrap t truncate-lines nil truncate-partial-width-windows nil)
  (add-hook 'kill-buffer-hook #'khoj-ls-status--stop nil t))

;;;###autoload
(defun khoj-ls-status ()
  "Show how the daemon and the vaults are.
It is kept up to date while work goes on."
  (interactive)
  (ignore-error user-error (khoj-ls-scope-prepare))
  (let ((result (khoj-ls-request :khoj/status nil)))
    (with-current-buffer (get-buffer-create khoj-ls-status--buffer)
      (unless (derived-mode-p 'khoj-ls-status-mode)
        (khoj-ls-status-mode))
      (khoj-ls-status--write result))
    (pop-to-buffer khoj-ls-status--buffer)))

(defun khoj-ls-status--stop ()
  "Look no more."
  (when khoj-ls-status--timer
    (cancel-timer khoj-ls-status--timer)
    (setq khoj-ls-status--timer nil)))

(defun khoj-ls-status--refresh ()
  "Look again, if the status is shown."
  (setq khoj-ls-status--timer nil)
  (when (and (get-buffer-window khoj-ls-status--buffer t) (khoj-ls-connection-quiet-p))
    (khoj-ls-request-async
     :khoj/status nil
     (lambda (result)
       (when (get-buffer khoj-ls-status--buffer)
         (with-current-buffer khoj-ls-status--buffer
           (khoj-ls-status--write result)))))))

(defun khoj-ls-status--write (result)
  "Write RESULT, and look again later where there is work under way."
  (let ((inhibit-read-only t)
        (line (line-number-at-pos))
        (vaults (append (plist-get result :vaults) nil)))
    (erase-buffer)
    (khoj-ls-status--daemon (plist-get result :daemon))
    (if vaults
        (mapc #'khoj-ls-status--vault vaults)
      (insert "\nNo vault is open yet: search for something, or open a note.\n"))
    (insert "\n" (substitute-command-keys
                  "\\<khoj-ls-status-mode-map>\\[revert-buffer] refresh  \\[khoj-ls-reindex] bring up to date  \\[khoj-ls-pause] pause  \\[khoj-ls-resume] resume  \\[quit-window] close\n"))
    (goto-char (point-min))
    (forward-line (1- line))
    (dolist (window (get-buffer-window-list nil nil t))
      (set-window-point window (point)))
    (khoj-ls-status--stop)
    (when (seq-some #'khoj-ls-status--busy-p vaults)
      (setq khoj-ls-status--timer
            (run-at-time khoj-ls-status--delay nil #'khoj-ls-status--refresh)))))

(defun khoj-ls-status--busy-p (vault)
  "Whether there is work under way in VAULT."
  (and (not (eq t (plist-get vault :paused)))
       (not (member (plist-get vault :phase) '("idle" "read-only" "offline")))))

(defun khoj-ls-status--phase (vault)
  "What VAULT is doing, for people."
  (if (eq t (plist-get vault :paused))
      "paused"
    (let ((phase (plist-get vault :phase)))
      (alist-get phase khoj-ls-status--phases phase nil #'equal))))

(defun khoj-ls-status--count (number noun)
  "NUMBER of NOUN: \"1 note\", \"2 notes\"."
  (format "%d %s" number (ngettext noun (concat noun "s") number)))

(defun khoj-ls-status--size (bytes)
  "BYTES for people."
  (file-size-human-readable bytes 'si " " "B"))

(defun khoj-ls-status--daemon (daemon)
  "Write about the DAEMON, nil where there is none."
  (if (null daemon)
      (insert "khoj-ls without a daemon\n")
    (insert (propertize (format "khoj-ls %s" (plist-get daemon :version)) 'face 'bold)
            (format "   process %d, up %s, %s, %s\n"
                    (plist-get daemon :pid)
                    (format-seconds "%D %H %M %z%S" (plist-get daemon :uptime_seconds))
                    (khoj-ls-status--size (plist-get daemon :rss_bytes))
                    (khoj-ls-status--count (plist-get daemon :sessions) "connection")))
    (when-let ((worker (plist-get daemon :worker)))
      (insert (format "model %s: %s%s\n" (plist-get worker :model) (plist-get worker :state)
                      (if (plist-get worker :error)
                          (format " (%s)" (plist-get worker :error))
                        ""))))))

(defun khoj-ls-status--vault (vault)
  "Write about VAULT."
  (let* ((root (plist-get vault :root))
         (coverage (plist-get vault :coverage))
         (width 20)
         (full (floor (* width coverage)))
         (eta (plist-get vault :eta_seconds)))
    (insert "\n")
    (insert-text-button (abbreviate-file-name root) 'action (lambda (_) (dired root))
                        'follow-link t 'help-echo "Open the folder")
    (insert (format "\n  %s, %s, %s, %s on disk\n  "
                    (khoj-ls-status--count (plist-get vault :files) "note")
                    (khoj-ls-status--count (plist-get vault :entries) "section")
                    (khoj-ls-status--count (plist-get vault :chunks) "passage")
                    (khoj-ls-status--size (plist-get vault :database_bytes)))
            (propertize (make-string full ?█) 'face 'success)
            (propertize (make-string (- width full) ?░) 'face 'shadow)
            (format " %d %% found by meaning   %s%s%s\n" (floor (* 100 coverage))
                    (khoj-ls-status--phase vault)
                    (if (> (plist-get vault :queue) 0)
                        (format ", %d waiting" (plist-get vault :queue))
                      "")
                    (if (numberp eta) (format ", %s left" (format-seconds "%H %M %z%S" eta)) "")))
    (unless (string-empty-p (plist-get vault :message))
      (insert "  " (propertize (plist-get vault :message) 'face 'warning) "\n"))
    (khoj-ls-status--files "Not indexed" (plist-get vault :failures) root 'error)
    (khoj-ls-status--files "Read with warnings" (plist-get vault :warnings) root 'warning)))

(defun khoj-ls-status--files (what files root face)
  "Write under the heading WHAT the FILES below ROOT, with the reasons, in FACE."
  (when (> (length files) 0)
    (insert "  " (propertize (format "%s: %d" what (length files)) 'face face) "\n")
    (seq-doseq (file files)
      (let ((path (plist-get file :path)) (line (plist-get file :line)))
        (insert "    ")
        (insert-text-button
         (concat (file-relative-name path root) (if line (format ":%d" line) ""))
         'action (lambda (_)
                   (find-file-other-window path)
                   (when line
                     (khoj-ls-goto `(:line ,(1- line) :character 0))))
         'follow-link t)
        (insert ": " (plist-get file :reason) "\n")))))

;;;; Work on the index

(defvar khoj-ls-status--token 0 "Makes the tokens of progress different.")
(defvar khoj-ls-status--indexing nil "The request that brings the index up to date.")

(defun khoj-ls-status--progress (token)
  "A function that shows the progress of TOKEN in the echo area."
  (lambda (method params)
    (when (and (eq method '$/progress) (equal token (plist-get params :token)))
      (let* ((value (plist-get params :value))
             (percentage (plist-get value :percentage))
             (message-log-max nil))
        (unless (equal (plist-get value :kind) "end")
          (message "khoj-ls: indexing%s%s"
                   (if percentage (format " %d %%" percentage) "")
                   (if (plist-get value :message)
                       (format ", %s" (plist-get value :message))
                     "")))))))

;;;###autoload
(defun khoj-ls-reindex (&optional force)
  "Bring the index up to date.
With a prefix argument, or FORCE, every file is read again.  You can go on
working meanwhile.  Called again while it runs it stops it."
  (interactive "P")
  (if (and khoj-ls-status--indexing (not (khoj-ls-call-over khoj-ls-status--indexing)))
      (progn (khoj-ls-cancel khoj-ls-status--indexing)
             (message "khoj-ls: indexing was stopped; what is done stays"))
    (khoj-ls-scope-prepare)
    (let* ((token (format "khoj-ls-el-%d" (cl-incf khoj-ls-status--token)))
           (show (khoj-ls-status--progress token)))
      (add-hook 'khoj-ls-notification-functions show)
      (message "khoj-ls: indexing…")
      (setq khoj-ls-status--indexing
            (khoj-ls-request-async
             :khoj/reindex `(:workDoneToken ,token ,@(and force '(:force t)))
             (lambda (results)
               (remove-hook 'khoj-ls-notification-functions show)
               (message "khoj-ls: %s" (mapconcat #'khoj-ls-status--report results "; "))
               (khoj-ls-status--refresh))
             (lambda (problem)
               (remove-hook 'khoj-ls-notification-functions show)
               (khoj-ls-show-error problem))
             :timeout nil))
      (khoj-ls-status--refresh))))

(defun khoj-ls-status--report (result)
  "What was done, by the ReindexResult RESULT."
  (let ((failures (length (plist-get result :failures))))
    (format "%s: %s indexed%s"
            (abbreviate-file-name (plist-get result :vault))
            (khoj-ls-status--count (plist-get result :files) "note")
            (if (zerop failures) ""
              (format ", %s not" (khoj-ls-status--count failures "file"))))))

;;;###autoload
(defun khoj-ls-pause ()
  "Stop indexing until it is resumed; searching goes on."
  (interactive)
  (khoj-ls-scope-prepare)
  (khoj-ls-request :khoj/pause nil)
  (message "khoj-ls: indexing is paused")
  (khoj-ls-status--refresh))

;;;###autoload
(defun khoj-ls-resume ()
  "Go on indexing."
  (interactive)
  (khoj-ls-scope-prepare)
  (khoj-ls-request :khoj/resume nil)
  (message "khoj-ls: indexing goes on")
  (khoj-ls-status--refresh))

;;;###autoload
(defun khoj-ls-why ()
  "Say why the file of this buffer, or at point in Dired, is or is not indexed."
  (interactive)
  (let* ((file (if (derived-mode-p 'dired-mode)
                   (dired-get-filename)
                 (khoj-ls-note-file)))
         (result (khoj-ls-request :khoj/why `(:path ,(khoj-ls-path-to-uri file))))
         (rule (plist-get result :rule)))
    (message "khoj-ls: %s is %s: %s%s" (file-name-nondirectory file)
             (if (eq t (plist-get result :indexed)) "indexed" "not indexed")
             (plist-get result :reason)
             (if rule (format " (%s)" rule) ""))))

(declare-function dired-get-filename "dired" (&optional localp no-error-if-not-filep))

(provide 'khoj-ls-status)
;;; khoj-ls-status.el ends here
