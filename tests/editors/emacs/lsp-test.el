;;; lsp-test.el --- In lsp-mode  -*- lexical-binding: t; -*-
;;; Code:

(require 'lsp-mode)
(require 'client-test)

(setq lsp-auto-guess-root t
      lsp-warn-no-matched-clients nil
      lsp-enable-file-watchers nil
      lsp-restart 'ignore
      lsp-enable-snippet nil
      lsp-client-packages nil
      lsp-session-file (make-temp-name (expand-file-name "lsp-session" temporary-file-directory)))

;; Another server of the same notes, as marksman would be.
(lsp-register-client
 (make-lsp-client
  :new-connection (lsp-stdio-connection
                   (list "python" (expand-file-name "other_server.py"
                                                    (file-name-directory load-file-name))))
  :major-modes '(markdown-mode org-mode)
  :server-id 'other))

(setq client-test-connect
      (lambda ()
        (lsp-workspace-folders-add khoj-ls-test-notes)
        (lsp)
        (khoj-ls-test-wait "both servers"
          (= 2 (length (seq-filter (lambda (each) (eq 'initialized (lsp--workspace-status each)))
                                   (lsp-workspaces)))))))

(defun lsp-test-ours ()
  "The workspace of khoj-ls."
  (seq-find (lambda (each) (eq 'khoj-ls (lsp--workspace-server-id each))) (lsp-workspaces)))

(ert-deftest lsp-mode-runs-it-beside-another-server ()
  (client-test-in "homelab/network.md" "[[evenings-without-wifi#How"
    (should (lsp-test-ours))
    (should (equal (client-test-xref) "homelab/evenings-without-wifi.md:35"))))

(ert-deftest lsp-mode-hovers-in-org ()
  (client-test-in "homelab/dns.org" "[[file:netw"
    (let ((hover (with-lsp-workspace (lsp-test-ours)
                   (lsp-request "textDocument/hover" (lsp--text-document-position-params)))))
      (should (string-match-p "Home network" (lsp:markup-content-value (lsp:hover-contents hover)))))))

(ert-deftest lsp-mode-renames-a-heading-with-its-links ()
  (khoj-ls-test-note "lsp-rename.md" "# Note\n\n## Old |part\n\nSee [[lsp-rename#Old part]].\n"
    (funcall client-test-connect)
    (lsp-rename "New part")
    (should (equal (buffer-string) "# Note\n\n## New part\n\nSee [[lsp-rename#New part]].\n"))))

(provide 'lsp-test)
;;; lsp-test.el ends here
