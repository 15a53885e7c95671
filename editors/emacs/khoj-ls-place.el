;;; khoj-ls-place.el --- Places in notes, and how to get there  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Positions are those of our own connection, which counts in UTF-32: a
;; column is a number of characters, as Emacs counts them.

;;; Code:

(require 'cl-lib)
(require 'url-util)
(require 'khoj-ls-connection)

(defun khoj-ls-uri-to-path (uri)
  "The local file of the file URI, without what may follow a #."
  (let* ((name (decode-coding-string
                (url-unhex-string (replace-regexp-in-string
                                   "#.*\\'" "" (string-remove-prefix "file://" uri)))
                'utf-8)))
    ;; file:///C:/notes
    (if (string-match-p "\\`/[A-Za-z]:" name) (substring name 1) name)))

(defun khoj-ls-file (&optional buffer)
  "The file that BUFFER (or the current one) visits, or nil.
That of the buffer that an indirect buffer is based on, too."
  (let ((buffer (or buffer (current-buffer))))
    (buffer-file-name (or (buffer-base-buffer buffer) buffer))))

(defun khoj-ls-local-file (&optional buffer)
  "The file on this machine that BUFFER visits, or nil."
  (let ((file (khoj-ls-file buffer)))
    (and file (not (file-remote-p file)) file)))

(defun khoj-ls-note-file ()
  "The file of the current buffer; an error where it is no note."
  (let ((file (khoj-ls-file)))
    (cond ((null file) (khoj-ls-user-error "This buffer visits no file"))
          ((file-remote-p file)
           (khoj-ls-user-error "%s is on another machine; khoj-ls serves the files of this one" file)))
    file))

(defun khoj-ls-position (&optional pos)
  "POS (or point) as an LSP position."
  (save-excursion
    (save-restriction
      (widen)
      (when pos (goto-char pos))
      (let ((inhibit-field-text-motion t))
        `(:line ,(1- (line-number-at-pos nil t))
          :character ,(- (point) (line-beginning-position)))))))

(defun khoj-ls-range (beg end)
  "The text from BEG to END as an LSP range."
  `(:start ,(khoj-ls-position beg) :end ,(khoj-ls-position end)))

(defun khoj-ls-point (position)
  "Where the LSP POSITION is in the current buffer, narrowed or not."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char (point-min))
      (let ((inhibit-field-text-motion t))
        (forward-line (plist-get position :line))
        (min (+ (point) (or (plist-get position :character) 0))
             (line-end-position))))))

(defun khoj-ls-goto (position)
  "Go to the LSP POSITION in the current buffer, and make it be seen."
  (let ((point (khoj-ls-point position)))
    (unless (<= (point-min) point (point-max))
      (widen))
    (goto-char point)
    (khoj-ls--reveal)))

(declare-function org-reveal "org" (&optional siblings))

(defun khoj-ls--reveal ()
  "Unfold what hides point."
  (cond ((derived-mode-p 'org-mode)
         (when (invisible-p (max (point-min) (1- (line-end-position))))
           (org-reveal)))
        ((invisible-p (point))
         (dolist (overlay (overlays-at (point)))
           (when-let ((open (overlay-get overlay 'isearch-open-invisible)))
             (funcall open overlay))))))

(declare-function xref-push-marker-stack "xref" (&optional marker))

(defun khoj-ls-visit (uri &optional position other-window)
  "Show the note at URI, at the LSP POSITION; in OTHER-WINDOW if non-nil.
\\[xref-go-back] or \\[xref-pop-marker-stack] leads back."
  (let ((path (khoj-ls-uri-to-path uri)))
    (unless (or (file-exists-p path) (find-buffer-visiting path))
      (khoj-ls-user-error "%s is not there any more" (abbreviate-file-name path)))
    (require 'xref)
    (xref-push-marker-stack)
    (if other-window (find-file-other-window path) (find-file path))
    (when position
      (khoj-ls-goto position)
      (run-hooks 'xref-after-jump-hook))))

(defun khoj-ls-visit-hit (hit &optional other-window)
  "Show the place of HIT, in OTHER-WINDOW if non-nil."
  (khoj-ls-visit (plist-get hit :uri)
                 (plist-get (plist-get hit :range) :start)
                 other-window))

(defun khoj-ls-path-of-hit (hit)
  "The file of HIT, from its vault's folder or the one of `khoj-ls-folders'."
  (let* ((path (khoj-ls-uri-to-path (plist-get hit :uri)))
         (folder (cl-find-if (lambda (each) (and each (file-in-directory-p path each)))
                             (cons (plist-get hit :vault) khoj-ls-folders))))
    (if folder
        (file-relative-name (file-truename path) (file-truename folder))
      (abbreviate-file-name path))))

(defun khoj-ls-heading-path (hit)
  "Title and headings of HIT, outermost first."
  (let ((title (plist-get hit :title)))
    (mapconcat #'identity
               (cons title (cl-remove title (append (plist-get hit :outline) nil)
                                      :test #'equal))
               " › ")))

(defun khoj-ls-open-url (url &rest _)
  "Show the place that the file URL names, with a line behind #L."
  (let ((line (and (string-match "#L\\([0-9]+\\)" url)
                   (string-to-number (match-string 1 url)))))
    (khoj-ls-visit url `(:line ,(1- (or line 1)) :character 0))))

(provide 'khoj-ls-place)
;;; khoj-ls-place.el ends here
