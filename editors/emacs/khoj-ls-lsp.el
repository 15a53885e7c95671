;;; khoj-ls-lsp.el --- khoj-ls in lsp-mode  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Loaded by `khoj-ls-setup' once lsp-mode is.  khoj-ls is an add-on there:
;; it runs beside another server of the same note, such as marksman.

;;; Code:

(require 'cl-lib)
(require 'lsp-mode nil t)
(require 'khoj-ls-connection)

(declare-function lsp-register-client "lsp-mode" (client))
(declare-function make-lsp-client "lsp-mode" (&rest slots))
(declare-function lsp-stdio-connection "lsp-mode" (command &optional test))
(defvar lsp-language-id-configuration)

(defun khoj-ls-lsp--table (&rest pairs)
  "A table of PAIRS of a method's name and a function."
  (let ((table (make-hash-table :test 'equal)))
    (cl-loop for (name function) on pairs by #'cddr do (puthash name function table))
    table))

(defun khoj-ls-lsp-register ()
  "Let lsp-mode start khoj-ls in notes, beside what else serves them."
  (dolist (each '((org-mode . "org") (markdown-mode . "markdown") (text-mode . "plaintext")))
    (add-to-list 'lsp-language-id-configuration each t))
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection (lambda () khoj-ls-command))
    :major-modes '(org-mode markdown-mode gfm-mode text-mode)
    :server-id 'khoj-ls
    :add-on? t
    :multi-root t
    :priority -2
    :initialization-options (lambda () (or khoj-ls-settings (make-hash-table)))
    :notification-handlers (khoj-ls-lsp--table "khoj/indexChanged" #'ignore
                                               "khoj/chatEvent" #'ignore))))

(provide 'khoj-ls-lsp)
;;; khoj-ls-lsp.el ends here
