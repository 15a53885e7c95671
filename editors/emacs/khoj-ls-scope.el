;;; khoj-ls-scope.el --- Which vaults questions are about  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A session without folders is about the `vaults' of the server's settings.
;; Where these are none, the folder of the note you are in is added to the
;; session; the server finds the vault around it.

;;; Code:

(require 'khoj-ls-connection)
(require 'khoj-ls-place)
(require 'khoj-ls-request)
(require 'khoj-ls-sync)

(defvar khoj-ls-scope--known nil
  "Whether the session has a vault: t once that is known.")

(defvar khoj-ls-scope--added nil "Folders that were added to the session.")

(defun khoj-ls-scope-prepare ()
  "See to it that the session has a vault, before a question about no note.
Signals an error where there is none to be had, or no server."
  (khoj-ls-connect)
  (unless (or khoj-ls-folders khoj-ls-scope--known)
    (let ((problem (khoj-ls-scope--problem)))
      (cond
       ((null problem))
       ((not (equal (khoj-ls-error-code problem) "khoj.vault.none"))
        (user-error "%s" (khoj-ls-error-text problem)))
       ((khoj-ls-local-file)
        (khoj-ls-scope-add (file-name-directory (khoj-ls-local-file))))
       (t (khoj-ls-user-error
           "No folder of notes is known: set `khoj-ls-folders', or the setting `vaults' of khoj-ls")))
      (setq khoj-ls-scope--known t))))

(defun khoj-ls-scope--problem ()
  "Why a question about no note would not be answered, or nil."
  (let ((state nil) (value nil))
    (let ((call (khoj-ls-request-async :khoj/completeQuery '(:query "")
                                       (lambda (_) (setq state 'done))
                                       (lambda (problem) (setq state 'failed value problem)))))
      (unwind-protect
          (while (not state) (accept-process-output nil 0.05))
        (khoj-ls-cancel call)))
    value))

(defun khoj-ls-scope-note-p ()
  "Whether the current buffer is a note: Org, Markdown or text on this machine.
Where `khoj-ls-folders' are set, only in one of them."
  (let ((file (khoj-ls-local-file)))
    (and file
         (derived-mode-p 'org-mode 'markdown-mode 'text-mode)
         (or (null khoj-ls-folders)
             (seq-some (lambda (folder) (file-in-directory-p file folder)) khoj-ls-folders)))))

(defun khoj-ls-scope-document ()
  "The current buffer as LSP's TextDocumentIdentifier, or nil where it is no note."
  (and (khoj-ls-scope-note-p) (khoj-ls-document)))

(defun khoj-ls-scope-add (folder)
  "Make the vault around FOLDER one of the session's."
  (unless (member folder khoj-ls-scope--added)
    (push folder khoj-ls-scope--added)
    (khoj-ls-scope--tell (list folder))))

(defun khoj-ls-scope--tell (folders)
  "Tell the server that FOLDERS are the session's, too."
  (khoj-ls-notify :workspace/didChangeWorkspaceFolders
                  `(:event (:added ,(vconcat (mapcar #'khoj-ls-connection-folder folders))
                            :removed []))))

(defun khoj-ls-scope--again ()
  "Tell a new server the folders of the one before."
  (setq khoj-ls-scope--known (and khoj-ls-scope--added t))
  (when khoj-ls-scope--added
    (khoj-ls-scope--tell khoj-ls-scope--added)))

(add-hook 'khoj-ls-connected-hook #'khoj-ls-scope--again)

(provide 'khoj-ls-scope)
;;; khoj-ls-scope.el ends here
