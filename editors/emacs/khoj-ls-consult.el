;;; khoj-ls-consult.el --- Search notes by Consult  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What `khoj-ls-search' uses where Consult is installed; loaded only then.

;;; Code:

(require 'cl-lib)
(require 'consult nil t)
(require 'khoj-ls-preview)
(require 'khoj-ls-search)

(declare-function consult--read "consult" (candidates &rest options))
(declare-function consult--dynamic-collection "consult" (fun &rest options))

(cl-defun khoj-ls-consult-read (prompt within initial preview
                                       &aux (hits (make-hash-table :test 'equal)))
  "Read with PROMPT and INITIAL input what is searched for WITHIN these files.
Returns (HIT nil).  Hits are shown in PREVIEW, if it is non-nil."
  (list
   (consult--read
    (consult--dynamic-collection
     (lambda (input &rest _)
       (let ((found (khoj-ls-search-collect input within)))
         ;; What completes may take away the properties of strings.
         (dolist (each found found)
           (puthash each (khoj-ls-search-hit each) hits)))))
    :prompt prompt
    :category 'khoj-ls-hit
    :initial (and initial (if (fboundp 'consult--async-split-initial)
                              (consult--async-split-initial initial)
                            initial))
    :history '(:input khoj-ls-search-history)
    :require-match t
    :sort nil
    :annotate (lambda (candidate) (car (khoj-ls-search-affixation (list candidate))))
    :lookup (lambda (selected &rest _) (gethash selected hits))
    :state (and preview
                (lambda (action hit)
                  (when (eq action 'preview)
                    (if hit
                        (khoj-ls-preview-show preview hit)
                      (khoj-ls-preview-end preview))))))
   nil))

(declare-function consult--async-split-initial "consult" (initial))

(provide 'khoj-ls-consult)
;;; khoj-ls-consult.el ends here
