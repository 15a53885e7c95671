;;; editor.el --- An Emacs that does what it reads  -*- lexical-binding: t; -*-

;; Plain Eglot or lsp-mode, set up by the file that $SNIPPET names, with the client of editors/emacs beside it.  One JSON
;; object a line comes in, and for each a line with "=> " in front goes out.

(require 'markdown-mode)
(require 'json)
(require 'subr-x)
(defvar editor-eglot (string-suffix-p "eglot.el" (getenv "SNIPPET")))
(require (if editor-eglot 'eglot 'lsp-mode))
(require 'khoj-ls)
(require 'khoj-ls-related)
(load (getenv "SNIPPET") nil t)

(setq make-backup-files nil
      create-lockfiles nil
      eglot-sync-connect 30
      lsp-auto-guess-root t
      lsp-warn-no-matched-clients nil)

(defun editor-connect ()
  "Connect this note: nothing of what the hooks wait for happens in batch."
  (if editor-eglot
      (unless (eglot-current-server)
        (apply #'eglot--connect (eglot--guess-contact)))
    (unless (bound-and-true-p lsp-mode)
      (lsp))
    (with-timeout (30 (error "The server never came"))
      (while (not (seq-some (lambda (each) (eq 'initialized (lsp--workspace-status each))) (lsp-workspaces)))
        (accept-process-output nil 0.01)))))

(defun editor-open (note)
  "Show NOTE, connected, with point at its beginning."
  (find-file (expand-file-name note (getenv "NOTES")))
  (editor-connect)
  (goto-char (point-min)))

(defun editor-ask (method params)
  "The answer to METHOD with PARAMS, as nested alists."
  (json-parse-string
   (if editor-eglot
       (json-serialize (jsonrpc-request (eglot--current-server-or-lose) (intern (concat ":" method)) params)
                       :false-object :json-false :null-object nil)
     (json-serialize (lsp-request method params)))
   :object-type 'alist :array-type 'list))

(defun editor-here ()
  "The note and point, as a request wants them."
  (if editor-eglot (eglot--TextDocumentPositionParams) (lsp--text-document-position-params)))

(defun editor-names (found)
  "File names of the hits in FOUND, as a vector."
  (vconcat (mapcar (lambda (hit) (file-name-nondirectory (url-unhex-string (alist-get 'uri hit))))
                   (alist-get 'hits found))))

(defun editor-view (note)
  "What the window of related notes shows beside NOTE."
  (editor-open note)
  (unless (get-buffer-window khoj-ls-related--buffer)
    (khoj-ls-related))
  (accept-process-output nil 0.05)
  (with-current-buffer khoj-ls-related--buffer
    (buffer-string)))

(defun editor-do (order)
  "Do ORDER; what comes of it."
  (let-alist order
    (pcase .do
      ("open" (editor-open .note)
       (let-alist (editor-ask "textDocument/hover" (editor-here)) .contents.value))
      ("save" (editor-open .note) (goto-char (point-max)) (insert .text) (save-buffer) :null)
      ("related" (editor-open .note) (editor-names (editor-ask "khoj/related" (editor-here))))
      ("view" (editor-view .note))
      ("search" (editor-names (editor-ask "khoj/search" `(:query ,.query)))))))

(let (line)
  (while (setq line (ignore-errors (read-string "")))
    (princ (format "=> %s\n"
                   (json-serialize
                    (vector (condition-case problem
                                (editor-do (json-parse-string line :object-type 'alist))
                              (error (format "%S" problem)))))))))

;;; editor.el ends here
