;;; first-hover.el --- Until a note is shown, or its hover is there  -*- lexical-binding: t; -*-

;; Shows $NOTE and, where $UNTIL is `hover', waits for the hover at $LINE; then says `ready'.  $SETUP is a file to load.

(defvar first-hover-setup (getenv "SETUP"))

(defun first-hover-ask ()
  "The hover at point, by the client that was set up."
  (if (string-suffix-p "lsp-mode.el" first-hover-setup)
      (lsp-request "textDocument/hover" (lsp--text-document-position-params))
    (jsonrpc-request (eglot--current-server-or-lose) :textDocument/hover (eglot--TextDocumentPositionParams))))

(defun first-hover-connect ()
  "Connect this note: nothing of what the hooks wait for happens in batch."
  (if (not (string-suffix-p "lsp-mode.el" first-hover-setup))
      (let ((eglot-sync-connect 30))
        (require 'eglot)
        (apply #'eglot--connect (eglot--guess-contact)))
    (require 'lsp-mode)
    (setq lsp-auto-guess-root t)
    (lsp)
    (with-timeout (30 (error "The server never came"))
      (while (not (memq 'initialized (mapcar #'lsp--workspace-status (lsp-workspaces))))
        (accept-process-output nil 0.005)))))

(let ((hover (equal (getenv "UNTIL") "hover")))
  (when hover
    (add-to-list 'load-path (file-name-directory first-hover-setup))
    (load first-hover-setup nil t))
  (find-file (getenv "NOTE"))
  (goto-char (point-min))
  (forward-line (1- (string-to-number (getenv "LINE"))))
  (forward-char 2)
  (when hover
    (first-hover-connect)
    (unless (first-hover-ask)
      (error "No hover")))
  (princ "ready\n"))

;;; first-hover.el ends here
