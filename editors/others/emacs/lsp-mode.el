;;; lsp-mode and khoj-ls, with no client of its own: paste it into your init file.  -*- lexical-binding: t; -*-

;; editors/emacs has the client: search as you type, related notes, chat.

(defvar khoj-ls-settings '((search (limit . 20)))
  "Session settings, as docs/configuration.md lists them.")

(with-eval-after-load 'lsp-mode
  (add-to-list 'lsp-language-id-configuration '(org-mode . "org"))
  (add-to-list 'lsp-language-id-configuration '(text-mode . "plaintext"))
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection '("khoj-ls"))
    :activation-fn (lsp-activate-on "markdown" "org" "plaintext")
    :server-id 'khoj-ls
    ;; Beside another server, such as marksman, and not in its place.
    :add-on? t
    :initialization-options (lambda () khoj-ls-settings))))

(add-hook 'markdown-mode-hook #'lsp-deferred)
(add-hook 'org-mode-hook #'lsp-deferred)
