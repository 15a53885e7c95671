;;; khoj-ls-connection.el --- Connection to the khoj-ls server  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A JSON-RPC connection of our own to the program `khoj-ls', for the
;; requests `khoj/...' from any buffer.  It stands beside what Eglot or
;; lsp-mode may run and shares one daemon and one index with it.
;;
;; The program is started when something is first asked, never by loading
;; this file.  Where it ends unasked it is started again after a pause that
;; grows with each failure.  Requests that come before it is ready wait in
;; line.

;;; Code:

(require 'cl-lib)
(require 'eieio)
(require 'jsonrpc)
(require 'subr-x)
(require 'url-util)

(defgroup khoj-ls nil
  "Search, chat and links over your notes."
  :group 'tools
  :group 'text
  :prefix "khoj-ls-"
  :link '(url-link "https://github.com/khoj-ls/khoj-ls"))

(defcustom khoj-ls-command '("khoj-ls")
  "The program to run, and its arguments."
  :type '(repeat string)
  :risky t)

(defcustom khoj-ls-folders nil
  "Folders of notes that are searched from any buffer.
When nil these are the `vaults' of the server's own settings or, where
there are none either, the vault of the note you are in."
  :type '(repeat directory)
  :risky t)

(defcustom khoj-ls-settings nil
  "Settings of the session, sent to the server when it is started.
A property list like (:search (:limit 20) :chat (:persona \"default\")).
Only settings of session scope are taken; docs/configuration.md lists
them."
  :type '(plist :key-type symbol :value-type sexp)
  :risky t)

(defcustom khoj-ls-timeout 30
  "Seconds after which a request that is not answered is given up."
  :type 'number)

(defcustom khoj-ls-restart-delays '(0.5 1 2 5 10 30)
  "Seconds to wait before the server is started again after it has ended.
The first number after the first failure, the next after the next.  After
the last it is started only when you ask for something."
  :type '(repeat number))

(defconst khoj-ls-connection--stable-seconds 60
  "A server that has lived so long was not failing at its start.")

(defconst khoj-ls-no-hits "Nothing found"
  "What is said where a search finds nothing.")

(defconst khoj-ls-no-related "Nothing like this in your notes"
  "What is said where nothing is related.")

(defconst khoj-ls-no-backlinks "No note links here"
  "What is said where nothing links to a note.")

(defconst khoj-ls-no-conversations "No conversations yet"
  "What is said where no conversation is kept.")

(defclass khoj-ls-connection (jsonrpc-process-connection)
  ((last-id :initform nil :documentation "Id of the request sent last."))
  :documentation "A connection to the program `khoj-ls'.")

(defvar khoj-ls-connection--current nil "The connection, or nil.")
(defvar khoj-ls-connection--ready nil "Whether the server has answered `initialize'.")
(defvar khoj-ls-connection--waiting nil "What to do when it has; newest first.")
(defvar khoj-ls-connection--started 0.0 "When the program was started.")
(defvar khoj-ls-connection--failures 0 "How often in a row it has ended unasked.")
(defvar khoj-ls-connection--timer nil "Starts it again.")
(defvar khoj-ls-connection--closing nil "Whether its end is wanted.")

(defvar khoj-ls-connected-hook nil
  "Run when a connection is ready: the server knows nothing of an earlier one.")

(defvar khoj-ls-disconnected-hook nil
  "Run when the server has ended.")

(defvar khoj-ls-notification-functions nil
  "Called with method (a symbol) and parameters of each notification.")

(cl-defmethod jsonrpc-connection-send :before
  ((connection khoj-ls-connection) &key id method &allow-other-keys)
  "Note the ID of the request METHOD that goes out on CONNECTION."
  (when (and id method)
    (oset connection last-id id)))

;;;; Start and end

(defun khoj-ls-user-error (format &rest arguments)
  "Signal a `user-error' that says whose it is, then FORMAT with ARGUMENTS."
  (user-error "%s" (concat "khoj-ls: " (apply #'format-message format arguments))))

(defun khoj-ls-connection-live-p ()
  "Whether the server runs."
  (and khoj-ls-connection--current
       (jsonrpc-running-p khoj-ls-connection--current)))

(defun khoj-ls-connection-ready-p ()
  "Whether the server runs and answers."
  (and (khoj-ls-connection-live-p) khoj-ls-connection--ready))

(defun khoj-ls-connection-quiet-p ()
  "Whether something that nobody asked for may be sent now.
Not where the program is missing, or has just failed."
  (or (khoj-ls-connection-live-p)
      (and (zerop khoj-ls-connection--failures)
           (khoj-ls-connection--program))))

(defun khoj-ls-connection--program ()
  "The program as an absolute file name, or nil where there is none."
  (and (car khoj-ls-command) (executable-find (car khoj-ls-command))))

(defun khoj-ls-connect ()
  "Start the server if it does not run."
  (unless (khoj-ls-connection-live-p)
    (unless (khoj-ls-connection--program)
      (khoj-ls-user-error
       "The program `%s' was not found: `pipx install khoj-ls' installs it, and the setting `khoj-ls-command' names another place"
       (or (car khoj-ls-command) "khoj-ls")))
    (khoj-ls-connection--start)))

(defun khoj-ls-connection--start ()
  "Start the program and say `initialize'."
  (when khoj-ls-connection--timer
    (cancel-timer khoj-ls-connection--timer))
  (setq khoj-ls-connection--timer nil
        khoj-ls-connection--ready nil
        khoj-ls-connection--closing nil
        khoj-ls-connection--started (float-time))
  (let* ((default-directory (file-name-as-directory (expand-file-name "~/")))
         (command (cons (khoj-ls-connection--program) (cdr khoj-ls-command)))
         ;; jsonrpc takes this very name for the buffer of the errors.
         (errors (get-buffer-create "*khoj-ls stderr*"))
         (connection
          (make-instance
           'khoj-ls-connection
           :name "khoj-ls"
           :events-buffer-scrollback-size 0
           :process (lambda ()
                      (make-process :name "khoj-ls" :command command
                                    :connection-type 'pipe
                                    :coding 'utf-8-emacs-unix
                                    :noquery t :stderr errors))
           :request-dispatcher #'khoj-ls-connection--asked
           :notification-dispatcher #'khoj-ls-connection--told
           :on-shutdown #'khoj-ls-connection--ended)))
    (setq khoj-ls-connection--current connection)
    ;; A program that has ended already cannot be written to; what is to be
    ;; done then is done by `khoj-ls-connection--ended'.
    (condition-case problem
        (khoj-ls-connection--introduce connection)
      (error (when (process-live-p (jsonrpc--process connection))
               (signal (car problem) (cdr problem)))))))

(defun khoj-ls-connection--introduce (connection)
  "Say `initialize' on CONNECTION."
  (jsonrpc-async-request
   connection :initialize (khoj-ls-connection--introduction)
   :timeout khoj-ls-timeout
   :success-fn (lambda (_) (khoj-ls-connection--begin connection))
   :error-fn (jsonrpc-lambda (&key code message &allow-other-keys)
               (unless (equal code -1)
                 (khoj-ls-connection--refuse message)))
   :timeout-fn (lambda ()
                 (khoj-ls-connection--refuse
                  (format "the server has not answered for %s seconds" khoj-ls-timeout))
                 (khoj-ls-disconnect))))

(defun khoj-ls-connection--introduction ()
  "The parameters of `initialize': what we are and can do.
Edits and places are taken from results and not sent on their own, so that
nothing changes but by a command."
  (let ((folders (khoj-ls-connection--folders)))
    `(:processId ,(emacs-pid)
      :clientInfo (:name "khoj-ls.el" :version ,emacs-version)
      :rootUri nil
      :workspaceFolders ,folders
      :initializationOptions ,(or khoj-ls-settings (make-hash-table))
      :capabilities
      (:general (:positionEncodings ["utf-32"])
       :workspace (:workspaceFolders t
                   :workspaceEdit (:documentChanges t
                                   :resourceOperations ["create" "rename" "delete"]))
       :textDocument (:synchronization (:didSave t)
                      :hover (:contentFormat ["markdown"])
                      :definition (:linkSupport :json-false)
                      :references ,(make-hash-table)
                      :rename (:prepareSupport t))))))

(defun khoj-ls-connection--folders ()
  "The `khoj-ls-folders' as LSP has them; nil where none is set."
  (when khoj-ls-folders
    (vconcat (mapcar #'khoj-ls-connection-folder khoj-ls-folders))))

(defun khoj-ls-connection-folder (folder)
  "FOLDER as LSP's WorkspaceFolder."
  (let ((path (directory-file-name (expand-file-name folder))))
    `(:uri ,(khoj-ls-path-to-uri path) :name ,(file-name-nondirectory path))))

(defun khoj-ls-path-to-uri (path)
  "The URI of the local file PATH."
  (when (file-remote-p path)
    (khoj-ls-user-error "%s is on another machine; khoj-ls serves the files of this one" path))
  (let ((name (expand-file-name path)))
    (concat "file://" (if (string-prefix-p "/" name) "" "/")
            (khoj-ls-connection--escaped name))))

(defun khoj-ls-connection--escaped (path)
  "PATH as it stands in a URI; a percent sign, too, is written in numbers."
  (let ((allowed (copy-sequence url-path-allowed-chars)))
    (aset allowed ?% nil)
    (url-hexify-string path allowed)))

(defun khoj-ls-connection--begin (connection)
  "Tell the server on CONNECTION that we are ready, and send what waits."
  (setq khoj-ls-connection--ready t)
  (jsonrpc-notify connection :initialized (make-hash-table))
  (run-hooks 'khoj-ls-connected-hook)
  (let ((waiting (nreverse khoj-ls-connection--waiting)))
    (setq khoj-ls-connection--waiting nil)
    (dolist (each waiting)
      (funcall each nil))))

(defun khoj-ls-connection--refuse (message)
  "Tell those who wait that nothing comes, for the reason MESSAGE."
  (let ((waiting (nreverse khoj-ls-connection--waiting)))
    (setq khoj-ls-connection--waiting nil)
    (dolist (each waiting)
      (funcall each (list :code -1 :message message)))))

(defun khoj-ls-connection--ended (connection)
  "Start CONNECTION's program, which has ended, again in a while.
Not where its end was wanted."
  (when (eq connection khoj-ls-connection--current)
    (let ((lived (- (float-time) khoj-ls-connection--started)))
      (setq khoj-ls-connection--current nil
            khoj-ls-connection--ready nil)
      (unless khoj-ls-connection--closing
        (when (> lived khoj-ls-connection--stable-seconds)
          (setq khoj-ls-connection--failures 0))
        (khoj-ls-connection--start-later connection)))
    (run-hooks 'khoj-ls-disconnected-hook)))

(defun khoj-ls-connection--start-later (connection)
  "Start the server after a pause, as that of CONNECTION has ended, and say so."
  (let* ((delay (nth khoj-ls-connection--failures khoj-ls-restart-delays))
         (why (khoj-ls-connection--last-words connection)))
    (cl-incf khoj-ls-connection--failures)
    (message "khoj-ls: the server has ended%s; %s"
             (if why (format " (%s)" why) "")
             (if delay (format "starting it again in %s s" delay)
               "it has failed too often and is started again when you ask for something"))
    (khoj-ls-connection--refuse (concat "the server has ended" (and why (format ": %s" why))))
    (when delay
      (setq khoj-ls-connection--timer
            (run-at-time delay nil #'khoj-ls-connection--start-again)))))

(defun khoj-ls-connection--start-again ()
  "Start the server that has ended, if its program is still there."
  (setq khoj-ls-connection--timer nil)
  (when (and (not (khoj-ls-connection-live-p)) (khoj-ls-connection--program))
    (condition-case problem
        (khoj-ls-connection--start)
      (error (message "khoj-ls: %s" (error-message-string problem))))))

(defun khoj-ls-connection--last-words (connection)
  "The last line that CONNECTION's program wrote to its errors, or nil."
  (let ((errors (jsonrpc-stderr-buffer connection)))
    (when (buffer-live-p errors)
      (with-current-buffer errors
        (save-excursion
          (goto-char (point-max))
          (skip-chars-backward "\n")
          (let ((line (string-trim (buffer-substring-no-properties
                                    (line-beginning-position) (point)))))
            (unless (or (string-empty-p line)
                        (string-prefix-p "Process " line))
              (string-remove-prefix "khoj-ls: " line))))))))

(defun khoj-ls-disconnect ()
  "End the connection to the server; the daemon and other editors go on."
  (interactive)
  (when khoj-ls-connection--timer
    (cancel-timer khoj-ls-connection--timer)
    (setq khoj-ls-connection--timer nil))
  (setq khoj-ls-connection--closing t
        khoj-ls-connection--failures 0)
  (khoj-ls-connection--refuse "the connection was closed")
  (when (khoj-ls-connection-live-p)
    (let ((inhibit-message t))
      (jsonrpc-shutdown khoj-ls-connection--current)))
  (setq khoj-ls-connection--current nil
        khoj-ls-connection--ready nil))

(defun khoj-ls-restart ()
  "Start the server anew, with the settings as they are now."
  (interactive)
  (khoj-ls-disconnect)
  (khoj-ls-connect)
  (message "khoj-ls: connecting again"))

(defun khoj-ls-connection-when-ready (function)
  "Call FUNCTION with nil once the server is ready, or with an error."
  (khoj-ls-connect)
  (if khoj-ls-connection--ready
      (funcall function nil)
    (push function khoj-ls-connection--waiting)))

;;;; What the server says unasked

(defun khoj-ls-connection--asked (_connection method _params)
  "Answer the server's request METHOD; we have announced none but this."
  (pcase method
    ('client/registerCapability nil)
    ('client/unregisterCapability nil)
    (_ (jsonrpc-error :code -32601 :message (format "%s is not served" method)))))

(defun khoj-ls-connection--told (_connection method params)
  "Hear the notification METHOD with PARAMS."
  (pcase method
    ('window/showMessage
     (message "khoj-ls: %s" (string-remove-prefix "khoj-ls: " (plist-get params :message))))
    (_ (run-hook-with-args 'khoj-ls-notification-functions method params))))

(provide 'khoj-ls-connection)
;;; khoj-ls-connection.el ends here
