;;; khoj-ls-sync.el --- Unsaved notes, shown to the server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A request about a note is about the text you see.  What is saved the
;; server reads from the disk; a note with unsaved changes is sent along
;; before the request, and closed again when it is saved or gone.

;;; Code:

(require 'khoj-ls-connection)
(require 'khoj-ls-place)
(require 'khoj-ls-request)

(defvar-local khoj-ls-sync--uri nil "The URI under which this buffer is open, or nil.")
(defvar-local khoj-ls-sync--tick nil "The `buffer-chars-modified-tick' that was sent.")
(defvar-local khoj-ls-sync--version 0 "The version that was sent.")

(defun khoj-ls-document ()
  "The current buffer as LSP's TextDocumentIdentifier, its text made known."
  (let* ((file (khoj-ls-note-file))
         (uri (khoj-ls-path-to-uri file)))
    (with-current-buffer (or (buffer-base-buffer) (current-buffer))
      (cond ((buffer-modified-p) (khoj-ls-sync--send uri))
            (khoj-ls-sync--uri (khoj-ls-sync--close))))
    `(:uri ,uri)))

(defun khoj-ls-sync--send (uri)
  "Send the text of the current buffer as that of URI, if it is not known."
  (let ((tick (buffer-chars-modified-tick)))
    (unless (and khoj-ls-sync--uri (equal tick khoj-ls-sync--tick))
      (let ((text (save-restriction
                    (widen)
                    (buffer-substring-no-properties (point-min) (point-max)))))
        (setq khoj-ls-sync--tick tick)
        (setq khoj-ls-sync--version (1+ khoj-ls-sync--version))
        (if khoj-ls-sync--uri
            (khoj-ls-notify :textDocument/didChange
                            `(:textDocument (:uri ,uri :version ,khoj-ls-sync--version)
                              :contentChanges [(:text ,text)]))
          (khoj-ls-notify :textDocument/didOpen
                          `(:textDocument (:uri ,uri :version ,khoj-ls-sync--version
                                           :languageId ,(khoj-ls-sync--language)
                                           :text ,text)))
          (setq khoj-ls-sync--uri uri)
          (add-hook 'after-save-hook #'khoj-ls-sync--close nil t)
          (add-hook 'after-revert-hook #'khoj-ls-sync--close nil t)
          (add-hook 'kill-buffer-hook #'khoj-ls-sync--close nil t)
          (add-hook 'change-major-mode-hook #'khoj-ls-sync--close nil t))))))

(defun khoj-ls-sync--language ()
  "The LSP name of the current buffer's format."
  (cond ((derived-mode-p 'org-mode) "org")
        ((derived-mode-p 'markdown-mode) "markdown")
        (t "plaintext")))

(defun khoj-ls-sync--close ()
  "The file holds again what counts, or the buffer is gone."
  (when khoj-ls-sync--uri
    (let ((uri khoj-ls-sync--uri))
      (setq khoj-ls-sync--uri nil)
      (when (khoj-ls-connection-live-p)
        (khoj-ls-notify :textDocument/didClose `(:textDocument (:uri ,uri)))
        (khoj-ls-notify :workspace/didChangeWatchedFiles
                        `(:changes [(:uri ,uri :type 2)]))))))

(defun khoj-ls-sync--forget ()
  "A new server knows no buffer."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'khoj-ls-sync--uri buffer)
      (with-current-buffer buffer
        (setq khoj-ls-sync--uri nil)))))

(add-hook 'khoj-ls-disconnected-hook #'khoj-ls-sync--forget)

(provide 'khoj-ls-sync)
;;; khoj-ls-sync.el ends here
