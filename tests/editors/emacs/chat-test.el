;;; chat-test.el --- Chats with the notes  -*- lexical-binding: t; -*-
;;; Code:

(require 'khoj-ls-test)

(defmacro chat-test-in (format &rest body)
  "In a new chat in FORMAT run BODY; its buffer is thrown away."
  (declare (indent 1))
  `(let ((khoj-ls-chat-format ,format))
     (save-window-excursion
       (delete-other-windows)
       (switch-to-buffer (get-buffer-create "*scratch*"))
       (khoj-ls-chat)
       (let ((chat (current-buffer)))
         (unwind-protect (progn ,@body)
           (when (buffer-live-p chat) (kill-buffer chat)))))))

(defun chat-test-answered ()
  "Wait until the answer has ended; returns the buffer's text."
  (khoj-ls-test-wait "the end of the answer" (not (khoj-ls-chat--running-p)))
  (buffer-substring-no-properties (point-min) (point-max)))

(defun chat-test-ask (question)
  "Ask QUESTION below the last heading; returns the text once it is answered."
  (goto-char (point-max))
  (insert question)
  (call-interactively #'khoj-ls-chat-send)
  (chat-test-answered))

(ert-deftest an-answer-streams-to-its-end-and-its-citations-are-links ()
  (pcase-dolist
      (`(,format ,you ,them ,link ,open)
       '((org "\n* You\n\n" "\n* khoj_ls\n\n" "80 MHz wide \\[\\[file:[^]]*::\\([0-9]+\\)\\]\\[1\\]\\]" org-open-at-point)
         (markdown "\n## You\n\n" "\n## khoj_ls\n\n" "80 MHz wide \\[1\\](file://[^)]*#L\\([0-9]+\\))" khoj-ls-chat-follow)))
    (chat-test-in format
      (let ((text (chat-test-ask "What did I change at the router?")))
        (should (derived-mode-p (if (eq format 'org) 'org-mode 'markdown-mode)))
        (should (string-search (concat you "What did I change at the router?\n" them
                                       "Both changes were made on 3 May: the radio went to channel 36, ")
                               text))
        (should (string-match link text))
        (should (string-suffix-p you text))
        (should (string-match-p "\\*Sources\\*" text))
        (should (string-match-p "scripted/plain" text)))
      (goto-char (point-min))
      (re-search-forward link)
      (goto-char (- (match-end 0) 3))
      (let ((line (match-string 1)))
        (funcall open)
        (should (string-match-p (format "\\.\\(md\\|org\\):%s\\'" line) (khoj-ls-test-place)))))))

(ert-deftest an-answer-is-stopped-and-what-has-arrived-stays ()
  (chat-test-in 'org
    (insert "Tell me slowly about the router")
    (khoj-ls-chat-send)
    (khoj-ls-test-wait "some words" (string-search "word3" (buffer-string)))
    (khoj-ls-test-error "An answer is still coming" (khoj-ls-chat-send))
    (goto-char (point-max))
    (insert "the next question")
    (khoj-ls-chat-stop)
    (let ((text (chat-test-answered)))
      (should (string-match-p "word3[^\0]*\\*Stopped\\.\\*\n\n\\* You\n\nthe next question\\'" text)))))

(ert-deftest a-question-is-asked-again-in-its-place ()
  (chat-test-in 'markdown
    (insert "Tell me slowly")
    (khoj-ls-chat-send)
    (khoj-ls-test-wait "some words" (string-search "word3" (buffer-string)))
    (khoj-ls-chat-stop)
    (chat-test-answered)
    (goto-char (point-min))
    (search-forward "Tell me ")
    (delete-region (point) (line-end-position))
    (insert "about the router")
    (khoj-ls-chat-retry)
    (let ((text (chat-test-answered)))
      (should (string-search "Tell me about the router\n" text))
      (should (string-search "Both changes were made" text))
      (should-not (string-search "word3" text))
      (should-not (string-search "Stopped" text))
      (should (= 2 (length (split-string text "## khoj_ls\n")))))))

(ert-deftest a-conversation-goes-on-and-is-continued-later ()
  (let ((id nil))
    (chat-test-in 'org
      (chat-test-ask "What about the firmware in Zanzibar?")
      (setq id khoj-ls-chat--conversation)
      (chat-test-ask "And the channel?")
      (should (equal khoj-ls-chat--conversation id)))
    (let ((khoj-ls-chat-format 'markdown))
      (save-window-excursion
        (switch-to-buffer "*scratch*")
        (khoj-ls-test-typing (khoj-ls-chat-continue)
          "Zanzibar"
          (and (minibufferp) khoj-ls-live--state
               (equal id (plist-get (car (khoj-ls-live-items khoj-ls-live--state)) :conversation)))
          "RET")
        (should (equal khoj-ls-chat--conversation id))
        (let ((text (buffer-string)))
          (should (string-search "## You\n\nWhat about the firmware in Zanzibar?\n\n## khoj_ls\n\nBoth changes" text))
          (should (string-search "[1](file://" text))
          (should (string-search "## You\n\nAnd the channel?" text)))
        (chat-test-ask "Once more?")
        (should (equal khoj-ls-chat--conversation id))
        (kill-buffer)))))

(ert-deftest a-region-is-what-the-question-is-about ()
  (khoj-ls-test-in "homelab/network.md" "The Belkin RT3200"
    (push-mark (line-beginning-position) t t)
    (end-of-line)
    (let* ((sent nil) (transient-mark-mode t)
           (khoj-ls-search-interface 'live)
           (watch (lambda (method params &rest _)
                    (when (eq method :khoj/chat) (setq sent params)))))
      (advice-add 'khoj-ls-request-async :before watch)
      (unwind-protect
          (khoj-ls-test-typing (call-interactively #'khoj-ls-ask-region)
            "Which SPC one? RET")
        (advice-remove 'khoj-ls-request-async watch))
      (let ((text (chat-test-answered)) (context (aref (plist-get sent :context) 0)))
        (should (equal (plist-get context :kind) "selection"))
        (should (equal (plist-get (plist-get (plist-get context :range) :start) :line) 23))
        (should (string-search "About [network.md:24-24](file://" text))
        (should (string-search "Which one?" text))
        (should (string-search "Both changes were made" text)))
      (kill-buffer))))

(ert-deftest text-of-another-buffer-is-quoted ()
  (with-temp-buffer
    (insert "two\nlines")
    (push-mark (point-min) t t)
    (let ((khoj-ls-chat-format 'org) (transient-mark-mode t))
      (save-window-excursion
        (switch-to-buffer (current-buffer))
        (khoj-ls-chat)
        (should (string-suffix-p "* You\n\n\n\n: two\n: lines\n" (buffer-string)))
        (kill-buffer)))))

(ert-deftest commands-of-a-chat-are-answered ()
  (chat-test-in 'org
    (should (string-search "/summarize" (chat-test-ask "/help")))))

(ert-deftest persona-and-model-are-chosen-from-what-there-is ()
  (chat-test-in 'org
    (khoj-ls-test-typing (khoj-ls-chat-persona) "default RET")
    (should (equal khoj-ls-chat--persona "default"))
    (khoj-ls-test-typing (khoj-ls-chat-model) "none RET")
    (should (equal khoj-ls-chat--model "none"))
    (should (string-match-p "default · none" (khoj-ls-chat--header)))
    (should (string-match-p "No chat model\\|evenings-without-wifi"
                            (chat-test-ask "how did I fix the router")))))

(ert-deftest nothing-is-asked-where-nothing-is-written ()
  (chat-test-in 'org
    (khoj-ls-test-error "Write your question below the last heading" (khoj-ls-chat-send))))

(ert-deftest a-chat-outlives-its-server ()
  (chat-test-in 'org
    (let ((khoj-ls-restart-delays '(0.05)))
      (insert "Tell me slowly")
      (khoj-ls-chat-send)
      (khoj-ls-test-wait "some words" (string-search "word3" (buffer-string)))
      (khoj-ls-test-messages
       (signal-process (jsonrpc--process khoj-ls-connection--current) 9)
       (chat-test-answered))
      (should (string-search "\n\n*Not answered: the server has ended. Ask again.*\n\n* You\n" (buffer-string)))
      (khoj-ls-test-wait "another server" (khoj-ls-connection-ready-p))
      (search-backward "slowly")
      (replace-match "again")
      (khoj-ls-chat-retry)
      (should (string-search "Both changes were made" (chat-test-answered))))))

(defun chat-test-refused ()
  "Let the turn of the current buffer end, as a service wants a yes."
  (khoj-ls-chat--open-answer)
  (setq khoj-ls-chat--turn "t")
  (khoj-ls-chat--event '(:kind "failed" :turn "t" :code "khoj.consent" :text "" :shown ""
                         :message "wants a yes"
                         :consent (:host "https://far.example" :tokens 1200 :cost 0.004)))
  (should (string-search "*Nothing was sent: https://far.example wants your yes." (buffer-string))))

(ert-deftest who-types-elsewhere-is-asked-for-no-yes ()
  (chat-test-in 'org
    (let ((asked nil) (looked nil))
      (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) (setq asked t) nil)))
        (chat-test-refused)
        (switch-to-buffer "*scratch*")
        ;; Behind the one that would ask.
        (run-at-time 0 nil (lambda () (setq looked t)))
        (khoj-ls-test-wait "a look" looked)
        (should-not asked)
        (should (equal (buffer-local-value 'khoj-ls-chat--host chat) "https://far.example"))))))

(ert-deftest a-question-stays-where-it-was-written-without-a-program ()
  (chat-test-in 'org
    (insert "What about the router?")
    (khoj-ls-disconnect)
    (let ((khoj-ls-command '("khoj-ls-is-not-here")) (text (buffer-string)))
      (khoj-ls-test-error "was not found" (khoj-ls-chat-send))
      (should (equal (buffer-string) text))
      (should-not khoj-ls-chat--state))))

(ert-deftest a-yes-is-wanted-before-anything-is-sent-to-a-service ()
  (chat-test-in 'org
    (let ((asked nil) (allowed nil) (again nil))
      (chat-test-refused)
      (cl-letf (((symbol-function 'yes-or-no-p) (lambda (prompt) (setq asked prompt) t))
                ((symbol-function 'khoj-ls-request)
                 (lambda (method params &rest _) (setq allowed (list method params))))
                ((symbol-function 'khoj-ls-chat-retry) (lambda () (setq again t))))
        (khoj-ls-test-wait "the question" again))
      (should (equal asked "Send about 1200 tokens with passages of your notes to https://far.example (about $0.004)? "))
      (should (equal allowed '(:khoj/allowHost (:host "https://far.example")))))))

(provide 'chat-test)
;;; chat-test.el ends here
