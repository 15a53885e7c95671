;;; khoj-ls-eglot.el --- khoj-ls in Eglot  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Loaded by `khoj-ls-setup' once Eglot is.  Adds what older versions of
;; Eglot lack: the server may ask to show a place (window/showDocument).

;;; Code:

(require 'eglot nil t)
(require 'khoj-ls-connection)
(require 'khoj-ls-place)

(declare-function eglot-client-capabilities "eglot" (server))
(defvar eglot-server-programs)

(defclass khoj-ls-eglot-server (eglot-lsp-server) ()
  :documentation "The server khoj-ls, as Eglot runs it.")

(defun khoj-ls-eglot--contact (&rest _)
  "How Eglot starts the server: by `khoj-ls-command' as it is then."
  (cons 'khoj-ls-eglot-server khoj-ls-command))

(defun khoj-ls-eglot-register ()
  "Let Eglot start khoj-ls in notes."
  (add-to-list 'eglot-server-programs
               '((markdown-mode org-mode text-mode) . khoj-ls-eglot--contact)))

(cl-defmethod eglot-initialization-options ((_server khoj-ls-eglot-server))
  "The `khoj-ls-settings'."
  (or khoj-ls-settings (make-hash-table)))

(cl-defmethod eglot-client-capabilities :around ((_server khoj-ls-eglot-server))
  "Say that places can be shown."
  (let* ((capabilities (cl-call-next-method))
         (window (copy-sequence (plist-get capabilities :window))))
    (plist-put (copy-sequence capabilities) :window
               (plist-put window :showDocument '(:support t)))))

(cl-defmethod eglot-handle-request
  ((_server khoj-ls-eglot-server) (_method (eql window/showDocument))
   &key uri external selection &allow-other-keys)
  "Show the document at URI, at the SELECTION; in a browser if EXTERNAL.
Only files are shown, and pages of the web where that is asked for."
  (cond
   ((and (eq external t) (string-match-p "\\`https?://" uri))
    (browse-url uri)
    '(:success t))
   ((string-prefix-p "file://" uri)
    ;; Once the server has its answer: what opens a file may take its time.
    (run-at-time 0 nil #'khoj-ls-eglot--show uri selection)
    '(:success t))
   (t '(:success :json-false))))

(declare-function eglot--range-region "eglot" (range &optional markers))
(declare-function eglot-range-region "eglot" (range &optional markers))

(defun khoj-ls-eglot--show (uri selection)
  "Show the file at URI, at the LSP range SELECTION.
Columns are counted as Eglot counts them."
  (khoj-ls-visit uri)
  (when selection
    (let ((region (funcall (if (fboundp 'eglot-range-region)
                               #'eglot-range-region
                             #'eglot--range-region)
                           selection)))
      (goto-char (car region))
      (run-hooks 'xref-after-jump-hook))))

(provide 'khoj-ls-eglot)
;;; khoj-ls-eglot.el ends here
