;;; Eglot and khoj-ls, with no client of its own: paste it into your init file.  -*- lexical-binding: t; -*-

;; editors/emacs has the client: search as you type, related notes, chat.

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '((markdown-mode org-mode text-mode) . ("khoj-ls"))))

;; Session settings, as docs/configuration.md lists them.
(setq-default eglot-workspace-configuration '(:khoj_ls (:search (:limit 20))))

;; M-x eglot in a note of a vault starts it; with these two lines every note does.
(add-hook 'markdown-mode-hook #'eglot-ensure)
(add-hook 'org-mode-hook #'eglot-ensure)

;; Before Emacs 30 Eglot asks before each edit of the server: of a chat's answer too.
(setq eglot-confirm-server-initiated-edits nil)
