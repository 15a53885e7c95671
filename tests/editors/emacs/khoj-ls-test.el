;;; khoj-ls-test.el --- What the tests in Emacs share  -*- lexical-binding: t; -*-

;;; Commentary:

;; The tests run in the notes' folder of a desk (tests/support/editor_desk.py)
;; with the real server.  Each file of tests is loaded behind this one.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'khoj-ls)
;; What is loaded when it is first used: the tests look inside.
(mapc #'require '(khoj-ls-chat khoj-ls-conversations khoj-ls-hover khoj-ls-links khoj-ls-menu
                  khoj-ls-notes khoj-ls-related khoj-ls-search khoj-ls-status))

(defconst khoj-ls-test-notes default-directory "The notes of the desk.")
(defconst khoj-ls-test-seconds 60 "How long anything is waited for.")

(setq khoj-ls-folders (list khoj-ls-test-notes)
      create-lockfiles nil
      make-backup-files nil
      auto-save-default nil
      enable-local-variables nil
      text-quoting-style 'grave)

(defmacro khoj-ls-test-wait (what &rest condition)
  "Wait until CONDITION holds, and return its value; fail with WHAT otherwise."
  (declare (indent 1))
  `(let ((end (+ (float-time) khoj-ls-test-seconds)) (value nil))
     (while (and (not (setq value (progn ,@condition))) (< (float-time) end))
       (accept-process-output nil 0.02))
     (or value (ert-fail (list "waited in vain" ,what)))))

(defun khoj-ls-test-path (name)
  "The note NAME as an absolute file name."
  (expand-file-name name khoj-ls-test-notes))

(defmacro khoj-ls-test-in (name text &rest body)
  "In the note NAME, with point behind TEXT, run BODY; its buffer is thrown away."
  (declare (indent 2))
  `(let ((buffer (find-file-noselect (khoj-ls-test-path ,name))))
     (unwind-protect
         (save-window-excursion
           (switch-to-buffer buffer)
           (goto-char (point-min))
           (let ((case-fold-search nil)) (search-forward ,text))
           ,@body)
       (when (buffer-live-p buffer)
         (with-current-buffer buffer (set-buffer-modified-p nil))
         (kill-buffer buffer)))))

(defmacro khoj-ls-test-note (name text &rest body)
  "With a note NAME that holds TEXT run BODY; point is where TEXT has a |.
The file is deleted in the end."
  (declare (indent 2))
  `(let ((path (khoj-ls-test-path ,name)) (at (string-search "|" ,text)))
     (unwind-protect
         (progn
           (let ((coding-system-for-write 'utf-8-unix))
             (write-region (string-replace "|" "" ,text) nil path nil 'silently))
           (khoj-ls-test-in ,name ""
             (when at (goto-char (1+ at)))
             ,@body))
       (when (file-exists-p path) (delete-file path)))))

(defun khoj-ls-test-indexed (name)
  "Wait until the note NAME is in the index."
  (let ((within (vector (khoj-ls-test-path name))))
    (khoj-ls-test-wait "a new note in the index"
      (ignore-error user-error
        (cl-plusp (length (plist-get (khoj-ls-request :khoj/search `(:query ,(concat "file:" name) :within ,within))
                                     :hits)))))))

(defun khoj-ls-test-line ()
  "The line of point."
  (buffer-substring-no-properties (line-beginning-position) (line-end-position)))

(defun khoj-ls-test-place ()
  "Where the selected window is: \"file:line\", from the notes' folder."
  (with-current-buffer (window-buffer)
    (format "%s:%d" (if buffer-file-name
                        (file-relative-name buffer-file-name khoj-ls-test-notes)
                      (buffer-name))
            (line-number-at-pos nil t))))

(defmacro khoj-ls-test-messages (&rest body)
  "Run BODY and return what was shown in the echo area, as one string."
  `(let ((said nil))
     (cl-letf (((symbol-function 'message)
                (lambda (&rest arguments)
                  (when (car arguments)
                    (push (apply #'format-message arguments) said)))))
       ,@body)
     (string-join (nreverse said) "\n")))

;; Keys go through the real command loop: the tests run in an Emacs with a
;; terminal.

(defun khoj-ls-test--drive (steps)
  "A timer that does STEPS; returns (TIMER . STATE), whose car tells what is left."
  (let* ((state (list steps nil)) (end (+ (float-time) khoj-ls-test-seconds)) timer)
    (setq timer
          (run-at-time
           0 0.02
           (lambda ()
             (let ((step (caar state)))
               (condition-case problem
                   (cond
                    ((null (car state)) (cancel-timer timer))
                    ((> (float-time) end)
                     (setf (cadr state) (list "in vain" step (minibuffer-contents-no-properties)))
                     (setq unread-command-events (listify-key-sequence (kbd "C-g"))))
                    (unread-command-events nil)
                    ((stringp step)
                     (pop (car state))
                     (setq unread-command-events (listify-key-sequence (kbd step))))
                    ((with-current-buffer (window-buffer (selected-window)) (funcall step))
                     (pop (car state))))
                 (error (setf (cadr state) (list "a step failed" problem))
                        (setf (car state) nil)
                        (setq unread-command-events (listify-key-sequence (kbd "C-g")))))))))
    (cons timer state)))

(defmacro khoj-ls-test-typing (form &rest steps)
  "Evaluate FORM, which reads from the user, while STEPS are done.
A string is typed as keys; any other form is evaluated again and again until
it is non-nil.  Returns the value of FORM, or `quit' where that was quit."
  (declare (indent 1))
  `(let ((drive (khoj-ls-test--drive
                 (list ,@(mapcar (lambda (step) (if (stringp step) step `(lambda () ,step)))
                                 steps)))))
     (unwind-protect
         (condition-case nil ,form (quit 'quit))
       (cancel-timer (car drive))
       (setq unread-command-events nil)
       (when (caddr drive)
         (ert-fail (caddr drive)))
       (when (cadr drive)
         (ert-fail (list "it ended before all was typed" (car (cadr drive))))))))

(defvar native-comp-async-report-warnings-errors)

(defun khoj-ls-test-run (file tests &optional selector)
  "Load TESTS, run those that SELECTOR chooses, write what ERT says to FILE; leave."
  (setq inhibit-message t
        message-log-max t
        native-comp-async-report-warnings-errors 'silent
        ring-bell-function #'ignore)
  (unwind-protect
      ;; No handler stands around the tests: ERT hears of failures by the debugger.
      (when (condition-case problem
                (mapc (lambda (each) (load each nil t)) tests)
              (error (message "The tests were not loaded: %s" (error-message-string problem))
                     nil))
        (ert-run-tests-batch (or selector t)))
    (with-current-buffer "*Messages*"
      (let ((coding-system-for-write 'utf-8-unix))
        (write-region nil nil file nil 'silently)))
    (kill-emacs 0)))

(defmacro khoj-ls-test-error (expected &rest body)
  "Run BODY, which has to signal a `user-error' that matches EXPECTED."
  (declare (indent 1))
  `(let ((problem (should-error (progn ,@body) :type 'user-error)))
     (should (string-match-p ,expected (error-message-string problem)))))

(provide 'khoj-ls-test)
;;; khoj-ls-test.el ends here
