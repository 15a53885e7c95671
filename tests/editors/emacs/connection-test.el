;;; connection-test.el --- The connection of our own  -*- lexical-binding: t; -*-
;;; Code:

(require 'khoj-ls-test)

(ert-deftest loading-starts-and-sends-nothing ()
  ;; In an Emacs of its own: nothing has asked for anything there.
  (with-temp-buffer
    (let ((code `(progn
                   (defvar started nil)
                   (advice-add 'make-process :before (lambda (&rest _) (setq started t)))
                   (advice-add 'make-network-process :before (lambda (&rest _) (setq started t)))
                   (require 'khoj-ls)
                   (khoj-ls-setup)
                   (find-file "projects.org")
                   (goto-char (point-max))
                   (princ (format "%S %S %S" started (process-list) khoj-ls-mode)))))
      (call-process (car command-line-args) nil '(t nil) nil "-Q" "--batch" "-L"
                    (file-name-directory (locate-library "khoj-ls"))
                    "--eval" (prin1-to-string code)))
    (should (equal (buffer-string) "nil nil t"))))

(ert-deftest a-request-is-answered ()
  (should (equal (plist-get (khoj-ls-request :khoj/why `(:path ,(khoj-ls-test-path "index.md")))
                            :indexed)
                 t)))

(ert-deftest an-error-is-told-in-the-servers-words ()
  (khoj-ls-test-error "khoj-ls: limit is 1000; it must be between 1 and 100"
    (khoj-ls-request :khoj/search '(:query "x" :limit 1000))))

(ert-deftest quitting-calls-a-request-off ()
  (let ((cancelled nil))
    (cl-letf (((symbol-function 'khoj-ls-request--cancel)
               (lambda (call) (setq cancelled (khoj-ls-call-id call)))))
      (khoj-ls-connect)
      (khoj-ls-test-wait "ready" (khoj-ls-connection-ready-p))
      (catch 'out
        (run-at-time 0 nil (lambda () (throw 'out t)))
        (khoj-ls-request :khoj/search '(:query "router"))))
    (should (integerp cancelled))))

(ert-deftest a-missing-program-is-told-once-and-no-more ()
  (khoj-ls-disconnect)
  (let ((khoj-ls-command '("khoj-ls-is-not-here")))
    (khoj-ls-test-error "khoj-ls: The program `khoj-ls-is-not-here' was not found: `pipx install khoj-ls' installs it"
      (khoj-ls-search-read "Search: "))
    ;; What nobody asked for says nothing.
    (khoj-ls-test-in "index.md" ""
      (should (equal "" (khoj-ls-test-messages
                         (should-not (khoj-ls-eldoc-function #'ignore))
                         (khoj-ls-related--look t)))))))

(defmacro connection-test-dying (&rest body)
  "Run BODY with a program that ends at once with words of its own, and no patience."
  `(let ((khoj-ls-command '("sh" "-c" "echo 'khoj-ls: no daemon to be had' >&2; exit 1"))
         (khoj-ls-restart-delays '(0.05 0.06)))
     (khoj-ls-disconnect)
     (unwind-protect (progn ,@body)
       (khoj-ls-disconnect))))

(ert-deftest a-server-that-ends-at-its-start-is-given-up-after-some-pauses ()
  (connection-test-dying
   (let* ((problem nil)
          (said (khoj-ls-test-messages
                 (khoj-ls-request-async :khoj/status nil #'ignore
                                        (lambda (each) (setq problem each)))
                 (khoj-ls-test-wait "three failures" (= 3 khoj-ls-connection--failures)))))
     (should (string-match-p "no daemon to be had" (plist-get problem :message)))
     (should (string-match-p "no daemon to be had); starting it again in 0.05 s" said))
     (should (string-match-p "starting it again in 0.06 s" said))
     (should (string-match-p "it has failed too often" said))
     (should-not (timerp khoj-ls-connection--timer))
     (should-not (khoj-ls-connection-quiet-p)))))

(ert-deftest a-killed-server-is-started-again-and-knows-unsaved-text ()
  (khoj-ls-disconnect)
  (let ((khoj-ls-restart-delays '(0.05 0.05 0.05)))
    (khoj-ls-test-note "killed.md" "# Killed\n\nSee [[netw|ork]].\n"
      (goto-char (point-min))
      (search-forward "See ")
      (insert "also [[dns]] and ")
      (should (equal (plist-get (khoj-ls-document) :uri)
                     (khoj-ls-path-to-uri (khoj-ls-test-path "killed.md"))))
      (khoj-ls-test-wait "ready" (khoj-ls-connection-ready-p))
      (let ((first (jsonrpc--process khoj-ls-connection--current)))
        (khoj-ls-test-messages
         (signal-process first 9)
         (khoj-ls-test-wait "the end" (not (process-live-p first)))
         (khoj-ls-test-wait "another server" (khoj-ls-connection-ready-p))))
      (search-backward "dns")
      (khoj-ls-follow-link)
      (should (equal (khoj-ls-test-place) "homelab/dns.org:1")))))

(ert-deftest a-request-that-waits-when-the-server-ends-fails ()
  (khoj-ls-connect)
  (khoj-ls-test-wait "ready" (khoj-ls-connection-ready-p))
  (let ((khoj-ls-restart-delays nil))
    (khoj-ls-test-messages
     (run-at-time 0 nil (lambda ()
                          (signal-process (jsonrpc--process khoj-ls-connection--current) 9)))
     (khoj-ls-test-error "khoj-ls: "
       (khoj-ls-request :khoj/reindex '(:force t)))))
  (khoj-ls-disconnect))

(ert-deftest files-of-other-machines-are-refused-politely ()
  (khoj-ls-test-error "is on another machine; khoj-ls serves the files of this one"
    (khoj-ls-path-to-uri "/ssh:elsewhere:/home/me/note.md"))
  (with-temp-buffer
    (setq buffer-file-name "/ssh:elsewhere:/home/me/note.md")
    (khoj-ls-test-error "is on another machine" (khoj-ls-backlinks))
    (should-not (khoj-ls-eldoc-function #'ignore))
    (setq buffer-file-name nil)))

(ert-deftest uris-and-paths-are-the-same-both-ways ()
  (pcase-dolist (`(,path ,uri)
                 '(("/notes/a b.md" "file:///notes/a%20b.md")
                   ("/notes/外婆.md" "file:///notes/%E5%A4%96%E5%A9%86.md")
                   ("/notes/50%#1?.md" "file:///notes/50%25%231%3F.md")))
    (should (equal (khoj-ls-path-to-uri path) uri))
    (should (equal (khoj-ls-uri-to-path uri) path))))

(ert-deftest columns-count-characters-before-emoji-and-chinese ()
  (with-temp-buffer
    (insert "first\n外婆 🥟 [[network]]\n")
    (goto-char (point-min))
    (search-forward "🥟")
    (should (equal (khoj-ls-position) '(:line 1 :character 4)))
    (narrow-to-region (point) (point-max))
    (should (equal (khoj-ls-position) '(:line 1 :character 4)))
    (should (equal (khoj-ls-point '(:line 1 :character 4)) (point)))
    (should (equal (khoj-ls-point '(:line 1 :character 400)) (1- (point-max))))))

(ert-deftest without-folders-the-vault-of-the-note-is-asked ()
  (khoj-ls-disconnect)
  (let ((khoj-ls-folders nil) (khoj-ls-scope--added nil) (khoj-ls-scope--known nil))
    (with-temp-buffer
      (setq default-directory "/")
      (khoj-ls-test-error "No folder of notes is known: set `khoj-ls-folders'"
        (khoj-ls-scope-prepare)))
    (khoj-ls-test-in "homelab/network.md" "Home network"
      (khoj-ls-scope-prepare)
      (should (cl-plusp (length (plist-get (khoj-ls-request :khoj/search '(:query "router")) :hits))))))
  (khoj-ls-disconnect)
  (setq khoj-ls-scope--added nil khoj-ls-scope--known nil))

(provide 'connection-test)
;;; connection-test.el ends here
