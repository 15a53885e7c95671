;;; khoj-ls-preview.el --- A look at a hit before going there  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Shows passages in a window while you choose among them, and leaves it as
;; it was.  A note that no buffer shows is read into a buffer of our own,
;; without its mode's hooks: nothing is started for a note you only look at.

;;; Code:

(require 'cl-lib)
(require 'khoj-ls-place)

(defface khoj-ls-preview
  '((t :inherit highlight :extend t))
  "Face of the passage that is looked at."
  :group 'khoj-ls)

(defconst khoj-ls-preview--most-bytes 500000
  "Of longer files only the beginning is shown.")

(cl-defstruct (khoj-ls-preview (:constructor khoj-ls-preview--make) (:copier nil))
  "A window that shows passages, and what it showed before."
  window buffer start point overlay made)

(defun khoj-ls-preview-begin (window)
  "Begin to look at passages in WINDOW; returns what the other functions take."
  (khoj-ls-preview--make :window window
                         :buffer (window-buffer window)
                         :start (window-start window)
                         :point (window-point window)))

(defun khoj-ls-preview-show (preview hit)
  "Show the passage of HIT in the window of PREVIEW."
  (let ((window (khoj-ls-preview-window preview)))
    (when (and (window-live-p window) (not (window-dedicated-p window)))
      (when-let ((buffer (khoj-ls-preview--buffer preview hit)))
        (khoj-ls-preview--unmark preview)
        (set-window-buffer window buffer)
        (with-selected-window window
          (let* ((range (plist-get hit :range))
                 (from (khoj-ls-point (plist-get range :start)))
                 (to (max from (khoj-ls-point (plist-get range :end)))))
            (when (<= (point-min) from (point-max))
              (goto-char from)
              (recenter (min 3 (/ (window-body-height) 3)))
              (let ((overlay (make-overlay from to)))
                (overlay-put overlay 'face 'khoj-ls-preview)
                (overlay-put overlay 'window window)
                (overlay-put overlay 'priority 1)
                (setf (khoj-ls-preview-overlay preview) overlay)))))))))

(defun khoj-ls-preview-end (preview)
  "Leave the window of PREVIEW as it was."
  (khoj-ls-preview--unmark preview)
  (let ((window (khoj-ls-preview-window preview))
        (buffer (khoj-ls-preview-buffer preview)))
    (when (and (window-live-p window) (buffer-live-p buffer)
               (not (window-dedicated-p window)))
      (set-window-buffer window buffer)
      (set-window-start window (khoj-ls-preview-start preview) t)
      (set-window-point window (khoj-ls-preview-point preview))))
  (mapc #'kill-buffer (mapcar #'cdr (khoj-ls-preview-made preview)))
  (setf (khoj-ls-preview-made preview) nil))

(defun khoj-ls-preview--unmark (preview)
  "Take the highlighting of PREVIEW away."
  (when-let ((overlay (khoj-ls-preview-overlay preview)))
    (delete-overlay overlay)
    (setf (khoj-ls-preview-overlay preview) nil)))

(defun khoj-ls-preview--buffer (preview hit)
  "A buffer with the note of HIT for PREVIEW, or nil where it cannot be read."
  (let ((path (khoj-ls-uri-to-path (plist-get hit :uri))))
    (or (find-buffer-visiting path)
        (cdr (assoc path (khoj-ls-preview-made preview)))
        (and (file-readable-p path)
             (let ((buffer (generate-new-buffer
                            (format " *khoj-ls: %s*" (file-name-nondirectory path)))))
               (push (cons path buffer) (khoj-ls-preview-made preview))
               (with-current-buffer buffer
                 (insert-file-contents path nil 0 khoj-ls-preview--most-bytes)
                 (khoj-ls-preview--mode path)
                 (setq buffer-read-only t)
                 (set-buffer-modified-p nil))
               buffer)))))

(defun khoj-ls-preview--mode (path)
  "Turn on the mode for the file PATH, as far as it is ours to show, without hooks."
  (let ((mode (assoc-default path auto-mode-alist #'string-match-p))
        (enable-local-variables nil)
        (inhibit-message t))
    (when (and (symbolp mode) (fboundp mode)
               (string-match-p "\\`\\(?:org\\|markdown\\|gfm\\|text\\|rst\\)-mode\\'"
                               (symbol-name mode)))
      (condition-case nil
          (progn (delay-mode-hooks (funcall mode))
                 (font-lock-mode 1))
        ;; A mode that cannot be had is no reason to show nothing.
        (error (fundamental-mode))))))

(provide 'khoj-ls-preview)
;;; khoj-ls-preview.el ends here
