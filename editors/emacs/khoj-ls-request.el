;;; khoj-ls-request.el --- Requests to the khoj-ls server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Asking the server, waiting for it or not, and what to do with its errors.
;; The server is started where it does not run.

;;; Code:

(require 'cl-lib)
(require 'eieio)
(require 'jsonrpc)
(require 'khoj-ls-connection)

(cl-defstruct (khoj-ls-call (:constructor khoj-ls-call--make) (:copier nil))
  "A request that may still be called off."
  connection id over)

(cl-defun khoj-ls-request-async (method params success &optional failure
                                        &key (timeout khoj-ls-timeout))
  "Ask METHOD (a symbol) with PARAMS; returns a call for `khoj-ls-cancel'.
SUCCESS is called with the result, or FAILURE with the error, a property
list with :message, and with :data where the server says more.  After
TIMEOUT seconds (nil: never) the request is called off.  Both are called
in whatever buffer is current then."
  (let* ((call (khoj-ls-call--make))
         (failure (or failure #'khoj-ls-show-error))
         (answer (lambda (function value)
                   (unless (khoj-ls-call-over call)
                     (setf (khoj-ls-call-over call) t)
                     (funcall function value)))))
    (khoj-ls-connection-when-ready
     (lambda (problem)
       (cond
        ((khoj-ls-call-over call))
        (problem (funcall answer failure problem))
        (t
         (let ((connection khoj-ls-connection--current))
           (condition-case problem
               (jsonrpc-async-request
                connection method params
                :timeout timeout
                :success-fn (lambda (result) (funcall answer success result))
                :error-fn (lambda (problem) (funcall answer failure problem))
                :timeout-fn (lambda ()
                              (khoj-ls-request--cancel call)
                              (funcall answer failure
                                       (list :code -1 :message
                                             (format "no answer in %s seconds" timeout)))))
             ;; The program has just ended.
             (error (funcall answer failure
                             (list :code -1 :message (error-message-string problem)))))
           (setf (khoj-ls-call-connection call) connection
                 (khoj-ls-call-id call) (oref connection last-id)))))))
    call))

(defun khoj-ls-request--cancel (call)
  "Tell the server that CALL's answer is not wanted any more."
  (let ((connection (khoj-ls-call-connection call)))
    (when (and (khoj-ls-call-id call) connection (jsonrpc-running-p connection))
      (jsonrpc-notify connection :$/cancelRequest `(:id ,(khoj-ls-call-id call))))))

(defun khoj-ls-cancel (call)
  "Call CALL off, if it is not over; nothing is called for it any more."
  (when (and call (not (khoj-ls-call-over call)))
    (setf (khoj-ls-call-over call) t)
    (khoj-ls-request--cancel call)))

(cl-defun khoj-ls-request (method params &key (timeout khoj-ls-timeout))
  "Ask METHOD with PARAMS and wait for the result.
Quitting, and input where the caller stops at input, call the request off.
Signals a `user-error' with the server's message.  TIMEOUT is as for
`khoj-ls-request-async'."
  (let* ((state nil) (value nil)
         (begun (float-time))
         (told nil)
         (call (khoj-ls-request-async
                method params
                (lambda (result) (setq state 'done value result))
                (lambda (problem) (setq state 'failed value problem))
                :timeout timeout)))
    (unwind-protect
        (while (not state)
          (accept-process-output nil 0.05)
          (when (and (not told) (> (- (float-time) begun) 1.0))
            (setq told t)
            (let ((message-log-max nil))
              (message "khoj-ls: waiting for the server (C-g to stop)"))))
      (khoj-ls-cancel call))
    (when (and told (equal (current-message) "khoj-ls: waiting for the server (C-g to stop)"))
      (message nil))
    (if (eq state 'done)
        value
      (user-error "%s" (khoj-ls-error-text value)))))

(defun khoj-ls-notify (method params)
  "Tell the server METHOD with PARAMS; nothing where there is none to be told."
  (khoj-ls-connection-when-ready
   (lambda (problem)
     (unless problem
       (jsonrpc-notify khoj-ls-connection--current method params)))))

(defun khoj-ls-error-text (problem)
  "What to show of the error PROBLEM."
  (format "khoj-ls: %s" (or (plist-get problem :message) "the request failed")))

(defun khoj-ls-error-code (problem)
  "The kind of the error PROBLEM, like \"khoj.consent\", or nil."
  (let ((data (plist-get problem :data)))
    (and (consp data) (plist-get data :code))))

(defun khoj-ls-show-error (problem)
  "Show the error PROBLEM in the echo area."
  (message "%s" (khoj-ls-error-text problem)))

(provide 'khoj-ls-request)
;;; khoj-ls-request.el ends here
