;;; eglot-test.el --- In Eglot  -*- lexical-binding: t; -*-
;;; Code:

(require 'eglot)
(require 'client-test)

(setq eglot-sync-connect 30
      eglot-connect-timeout 30
      eglot-events-buffer-size 0
      eglot-confirm-server-initiated-edits nil)

(setq client-test-connect
      (lambda ()
        (unless (eglot-managed-p)
          (if (eglot-current-server)
              (eglot--maybe-activate-editing-mode)
            (apply #'eglot--connect (eglot--guess-contact))))
        (khoj-ls-test-wait "Eglot" (eglot-managed-p))))

(add-hook 'project-find-functions (lambda (_) (cons 'transient khoj-ls-test-notes)))

(ert-deftest eglot-starts-the-server-and-hovers-once-with-links-that-open ()
  (client-test-in "homelab/network.md" "[[evenings-without-wifi#How"
    (should (eq (eieio-object-class-name (eglot-current-server)) 'khoj-ls-eglot-server))
    (should (memq #'khoj-ls-eldoc-function eldoc-documentation-functions))
    (should-not (memq 'eglot-hover-eldoc-function eldoc-documentation-functions))
    (let ((told nil))
      (khoj-ls-eldoc-function (lambda (text &rest _) (setq told text)))
      (khoj-ls-test-wait "a hover" told)
      (with-temp-buffer
        (insert told)
        (goto-char (point-min))
        (search-forward "Evenings")
        (khoj-ls-hover-open)
        (should (string-prefix-p "homelab/evenings-without-wifi.md" (khoj-ls-test-place)))))))

(ert-deftest eglot-goes-to-the-definition-of-a-link ()
  (client-test-in "homelab/network.md" "[[evenings-without-wifi#How"
    (should (eq (xref-find-backend) 'eglot))
    (should (equal (client-test-xref) "homelab/evenings-without-wifi.md:35"))))

(ert-deftest eglot-counts-columns-behind-emoji ()
  (khoj-ls-test-note "eglot-emoji.org" "* Note\n外婆 🥟 [[file:homelab/net|work.md][machines]]\n"
    (funcall client-test-connect)
    (should (equal (client-test-xref) "homelab/network.md:1"))))

(ert-deftest eglot-renames-a-heading-with-its-links ()
  (khoj-ls-test-note "eglot-rename.md" "# Note\n\n## Old |part\n\nSee [[eglot-rename#Old part]].\n"
    (funcall client-test-connect)
    (eglot-rename "New part")
    (should (equal (buffer-string) "# Note\n\n## New part\n\nSee [[eglot-rename#New part]].\n"))))

(ert-deftest eglot-shows-what-the-server-asks-it-to-show ()
  (client-test-in "index.md" ""
    (jsonrpc-request (eglot-current-server) :workspace/executeCommand
                     '(:command "khoj.daily" :arguments [(:day "2024-05-01")]))
    (khoj-ls-test-wait "the note is shown"
      (string-prefix-p "daily/2024-05-01.md" (khoj-ls-test-place)))))

(ert-deftest eglot-shows-no-other-scheme ()
  (client-test-in "index.md" ""
    (should (equal (eglot-handle-request (eglot-current-server) 'window/showDocument :uri "ftp://x/y")
                   '(:success :json-false)))))

(ert-deftest eglot-writes-a-link-into-unsaved-text ()
  (khoj-ls-test-note "eglot-unsaved.md" "# Note\n\n|\n"
    (funcall client-test-connect)
    (insert "Unsaved words: ")
    (khoj-ls-test-typing (khoj-ls-insert-link)
      "Belkin SPC RT3200 SPC serial" (and (minibufferp) (khoj-ls-live-items khoj-ls-live--state)) "RET")
    (should (equal (khoj-ls-test-line) "Unsaved words: [[network|Home network]]"))))

(ert-deftest eglot-and-our-connection-share-one-daemon ()
  (client-test-in "index.md" ""
    (let ((one (plist-get (khoj-ls-request :khoj/status nil) :daemon))
          (other (plist-get (jsonrpc-request (eglot-current-server) :khoj/status nil) :daemon)))
      (should (equal (plist-get one :pid) (plist-get other :pid))))))

(provide 'eglot-test)
;;; eglot-test.el ends here
