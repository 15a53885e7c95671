;;; lint.el --- What package-lint, checkdoc and the compiler say  -*- lexical-binding: t; -*-

;;; Commentary:

;; Prints one line for each complaint: TOOL FILE:LINE: TEXT.

;;; Code:

(require 'checkdoc)
(require 'package-lint)

(defun lint-say (tool file line text)
  "Print that TOOL has found TEXT at LINE of FILE."
  (princ (format "%s %s:%s: %s\n" tool (file-name-nondirectory file) line text)))

(defun lint-package (file main)
  "Check FILE, of which MAIN is the main file, by package-lint."
  (with-current-buffer (find-file-noselect file)
    (emacs-lisp-mode)
    (let ((package-lint-main-file main))
      (pcase-dolist (`(,line ,_ ,_ ,text) (package-lint-buffer))
        (lint-say "package-lint" file line text)))))

(defun lint-documentation (file)
  "Check FILE by checkdoc."
  (let ((checkdoc-create-error-function
         (lambda (text start _end &optional _unfixable)
           (lint-say "checkdoc" file
                     (if start (count-lines (point-min) start) 0) text)
           nil))
        (checkdoc-arguments-in-order-flag nil)
        (checkdoc-verb-check-experimental-flag nil)
        (sentence-end-double-space t))
    (with-current-buffer (find-file-noselect file)
      (checkdoc-current-buffer t))))

(defun lint-compile (file folder)
  "Compile FILE into FOLDER."
  (let ((byte-compile-dest-file-function
         (lambda (source) (expand-file-name (concat (file-name-nondirectory source) "c") folder)))
        (byte-compile-log-warning-function
         (lambda (text &optional position _fill _level)
           (lint-say "compiler" file (or position 0) text))))
    (byte-compile-file file)))

(let* ((client (file-name-directory (locate-library "khoj-ls")))
       (main (expand-file-name "khoj-ls.el" client))
       (folder (make-temp-file "khoj-ls-lint" t)))
  (dolist (file (directory-files client t "\\.el\\'"))
    (lint-package file main)
    (lint-documentation file)
    (lint-compile file folder))
  (delete-directory folder t))

;;; lint.el ends here
