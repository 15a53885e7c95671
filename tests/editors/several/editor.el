;;; editor.el --- An Emacs that does what it reads  -*- lexical-binding: t; -*-

;; Plain Eglot, set up by the file that $SNIPPET names. One JSON object a line comes in and one goes out, behind "=> ".

(require 'eglot)
(require 'markdown-mode)
(require 'json)
(load (getenv "SNIPPET") nil t)

(setq eglot-connect-timeout 30
      eglot-sync-connect 30
      make-backup-files nil
      create-lockfiles nil)

(defun editor-path (note)
  "The file of NOTE."
  (expand-file-name note (getenv "NOTES")))

(defun editor-open (note)
  "Show NOTE, and connect it: nothing of what `eglot-ensure' waits for happens in batch."
  (find-file (editor-path note))
  (unless (eglot-current-server)
    (apply #'eglot--connect (eglot--guess-contact)))
  (goto-char (point-min)))

(defun editor-hover ()
  "What stands in the hover at point."
  (plist-get (plist-get (jsonrpc-request (eglot--current-server-or-lose) :textDocument/hover
                                         (eglot--TextDocumentPositionParams))
                        :contents)
             :value))

(defun editor-hits (method params)
  "File names of the hits that METHOD finds with PARAMS."
  (mapcar (lambda (hit) (file-name-nondirectory (eglot--uri-to-path (plist-get hit :uri))))
          (plist-get (jsonrpc-request (eglot--current-server-or-lose) method params) :hits)))

(defun editor-do (order)
  "Do ORDER; what comes of it."
  (let-alist order
    (pcase .do
      ("open" (editor-open .note) (editor-hover))
      ("save" (editor-open .note) (goto-char (point-max)) (insert .text) (save-buffer) (buffer-modified-p))
      ("related" (editor-open .note) (editor-hits :khoj/related (eglot--TextDocumentPositionParams)))
      ("search" (editor-hits :khoj/search (list :query .query))))))

(let (line)
  (while (setq line (ignore-errors (read-string "")))
    (princ (format "=> %s\n" (json-serialize
                              (let ((done (condition-case problem
                                              (editor-do (json-parse-string line :object-type 'alist))
                                            (error (format "%S" problem)))))
                                (vector (if (listp done) (vconcat done) (or done :null)))))))))

;;; editor.el ends here
