;;; first-hover.el --- Until a note is shown, or its hover is there  -*- lexical-binding: t; -*-

;; Shows $NOTE and, where $UNTIL is `hover', waits for the hover at $LINE; then says `ready'.  $SETUP is a file to load.

(defvar first-hover-setup (getenv "SETUP"))

(defun first-hover-by-p (name)
  "Whether the file NAME is what was set up."
  (string-suffix-p name first-hover-setup))

(defun first-hover-by-eglot ()
  "Connect this note, as nothing of what hooks wait for happens in batch; the hover at point."
  (let ((eglot-sync-connect 30))
    (require 'eglot)
    (apply #'eglot--connect (eglot--guess-contact))
    (jsonrpc-request (eglot--current-server-or-lose) :textDocument/hover (eglot--TextDocumentPositionParams))))

(defun first-hover-by-lsp-mode ()
  "The same with lsp-mode."
  (require 'lsp-mode)
  (setq lsp-auto-guess-root t)
  (lsp)
  (with-timeout (30 (error "The server never came"))
    (while (not (memq 'initialized (mapcar #'lsp--workspace-status (lsp-workspaces))))
      (accept-process-output nil 0.005)))
  (lsp-request "textDocument/hover" (lsp--text-document-position-params)))

(defun first-hover-by-client ()
  "What the client of editors/emacs shows of point, on the connection of its own."
  (khoj-ls-mode)
  (khoj-ls-hover)
  (get-buffer "*khoj-ls hover*"))

(let ((hover (equal (getenv "UNTIL") "hover")))
  (when hover
    (add-to-list 'load-path (file-name-directory first-hover-setup))
    (load (file-name-sans-extension first-hover-setup) nil t))
  (find-file (getenv "NOTE"))
  (goto-char (point-min))
  (forward-line (1- (string-to-number (getenv "LINE"))))
  (forward-char 2)
  (when hover
    (unless (cond ((first-hover-by-p "/eglot.el") (first-hover-by-eglot))
                  ((first-hover-by-p "/lsp-mode.el") (first-hover-by-lsp-mode))
                  (t (first-hover-by-client)))
      (error "No hover")))
  (princ "ready\n"))

;;; first-hover.el ends here
