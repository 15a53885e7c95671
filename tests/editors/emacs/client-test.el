;;; client-test.el --- What the tests in Eglot and in lsp-mode share  -*- lexical-binding: t; -*-
;;; Code:

(require 'khoj-ls-test)

(khoj-ls-setup)

(defvar client-test-connect nil "Connects the current buffer; a function.")
(defvar client-test-request nil "Asks METHOD with PARAMS, both as lists; a function.")

(defmacro client-test-in (name text &rest body)
  "In the note NAME, behind TEXT, connected to the server, run BODY."
  (declare (indent 2))
  `(khoj-ls-test-in ,name ,text
     (funcall client-test-connect)
     ,@body))

(defun client-test-xref ()
  "What the first of the places that are found for point is."
  (let* ((backend (xref-find-backend))
         (place (xref-item-location
                 (car (xref-backend-definitions backend (xref-backend-identifier-at-point backend))))))
    (format "%s:%d"
            (file-relative-name (xref-location-group place) (file-truename khoj-ls-test-notes))
            (or (xref-location-line place) 0))))

(provide 'client-test)
;;; client-test.el ends here
