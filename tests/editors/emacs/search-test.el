;;; search-test.el --- Searching as you type  -*- lexical-binding: t; -*-
;;; Code:

(require 'khoj-ls-test)

(defun search-test-list ()
  "What the list below the prompt shows, or nil while nothing is there."
  (let ((window (active-minibuffer-window)))
    (and window
         (with-current-buffer (window-buffer window)
           (and khoj-ls-live--state
                (khoj-ls-live-items khoj-ls-live--state)
                (substring-no-properties
                 (overlay-get (khoj-ls-live-overlay khoj-ls-live--state) 'after-string)))))))

(defun search-test-note ()
  "The note below the list, or nil."
  (let ((window (active-minibuffer-window)))
    (and window
         (with-current-buffer (window-buffer window)
           (and khoj-ls-live--state (khoj-ls-live-note khoj-ls-live--state))))))

(defmacro search-test-with (interface &rest body)
  "Run BODY with INTERFACE, in the note that lists the others."
  (declare (indent 1))
  `(let ((khoj-ls-search-interface ,interface) (khoj-ls-search-history nil))
     (khoj-ls-test-in "index.md" "" ,@body)))

(ert-deftest a-hit-is-found-by-meaning-and-its-line-is-gone-to ()
  (search-test-with 'live
    (khoj-ls-test-typing (call-interactively #'khoj-ls-search)
      "how SPC did SPC I SPC fix SPC the SPC router" (search-test-list) "RET")
    (should (equal (khoj-ls-test-place) "homelab/evenings-without-wifi.md:35"))
    (should (string-match-p "How I repaired it" (khoj-ls-test-line)))))

(ert-deftest enter-waits-for-the-answer-to-what-was-typed ()
  (search-test-with 'live
    (khoj-ls-test-typing (khoj-ls-search) "Belkin SPC RT3200 SPC serial RET")
    (should (equal (khoj-ls-test-place) "homelab/network.md:24"))))

(ert-deftest a-line-tells-score-headings-file-and-excerpt ()
  (search-test-with 'live
    (let ((shown nil))
      (khoj-ls-test-typing (khoj-ls-search)
        "Belkin SPC RT3200 SPC serial" (setq shown (search-test-list)) "C-g")
      (should (string-match-p
               "0\\.[0-9][0-9] Home network › Machines  homelab/network\\.md:24  .*Belkin"
               shown)))))

(ert-deftest keys-go-through-the-list ()
  (search-test-with 'live
    (let ((second nil))
      (khoj-ls-test-typing (khoj-ls-search)
        "router" (search-test-list) "C-n" (setq second (search-test-chosen)) "<down> <up> RET")
      (should (equal (khoj-ls-test-place) second)))))

(defun search-test-chosen ()
  "File and line of the chosen line, as `khoj-ls-test-place' has them."
  (let ((hit (nth (khoj-ls-live-index khoj-ls-live--state)
                  (khoj-ls-live-items khoj-ls-live--state))))
    (format "%s:%d" (khoj-ls-path-of-hit hit)
            (1+ (plist-get (plist-get (plist-get hit :range) :start) :line)))))

(ert-deftest a-hit-is-shown-in-another-window ()
  (search-test-with 'live
    (delete-other-windows)
    (khoj-ls-test-typing (khoj-ls-search)
      "Belkin SPC RT3200 SPC serial" (search-test-list) "M-RET")
    (should (equal (khoj-ls-test-place) "homelab/network.md:24"))
    (should (get-buffer-window "index.md"))))

(ert-deftest a-link-to-a-hit-is-put-where-you-came-from ()
  (search-test-with 'live
    (khoj-ls-test-note "link-from-search.md" "# Note\n\nThe |\n"
      (khoj-ls-test-typing (khoj-ls-search)
        "Belkin SPC RT3200 SPC serial" (search-test-list) "M-i")
      (should (equal (khoj-ls-test-line) "The [[network|Home network]]")))))

(ert-deftest the-passage-is-shown-while-choosing-and-the-window-is-left-as-it-was ()
  (search-test-with 'live
    (let ((window (selected-window)) (buffers (buffer-list)) (shown nil))
      (goto-char (point-min))
      (should (eq 'quit
                  (khoj-ls-test-typing (khoj-ls-search)
                    "Belkin SPC RT3200 SPC serial"
                    (unless (equal (buffer-name (window-buffer window)) "index.md")
                      (with-selected-window window
                        (setq shown (list major-mode (khoj-ls-test-line)
                                          (overlay-get (car (overlays-at (point))) 'face)))))
                    "C-g")))
      (should (equal (car shown) 'markdown-mode))
      (should (string-prefix-p "The Belkin RT3200 has serial" (cadr shown)))
      (should (equal (caddr shown) 'khoj-ls-preview))
      (should (equal (khoj-ls-test-place) "index.md:1"))
      (should-not (cl-remove-if (lambda (each) (string-match-p "\\*" (buffer-name each)))
                                (cl-set-difference (buffer-list) buffers))))))

(ert-deftest nothing-found-is-told ()
  (search-test-with 'live
    (khoj-ls-test-typing (khoj-ls-search)
      "\"qqxyzzy\"" (equal (search-test-note) "Nothing found") "RET"
      (minibufferp) "C-g")))

(ert-deftest an-error-is-told-below-the-prompt ()
  (search-test-with 'live
    (khoj-ls-test-typing (khoj-ls-search)
      "dt:notaday" (string-match-p "\\`khoj-ls: .*notaday" (or (search-test-note) "")) "C-g")))

(ert-deftest what-was-searched-for-is-remembered ()
  (search-test-with 'live
    (khoj-ls-test-typing (khoj-ls-search) "Belkin" (search-test-list) "RET")
    (should (equal khoj-ls-search-history '("Belkin")))
    (khoj-ls-test-typing (khoj-ls-search)
      "M-p" (equal (minibuffer-contents-no-properties) "Belkin") (search-test-list) "C-g")))

(ert-deftest a-newer-question-takes-the-place-of-an-older-one ()
  (search-test-with 'live
    (let ((first nil) (khoj-ls-live-delay 0))
      (khoj-ls-test-typing (khoj-ls-search)
        "sourdou" (setq first (khoj-ls-live-call khoj-ls-live--state))
        "gh SPC starter"
        (and (equal (khoj-ls-live-input khoj-ls-live--state) "sourdough starter")
             (khoj-ls-call-over first)
             (search-test-list))
        "RET"))
    (should (string-prefix-p "kitchen/" (khoj-ls-test-place)))))

(ert-deftest filters-are-completed ()
  (search-test-with 'live
    (khoj-ls-test-typing (khoj-ls-search)
      "tag:homel TAB" (equal (minibuffer-contents-no-properties) "tag:homelab") "C-g")))

(ert-deftest a-search-within-a-folder-stays-there ()
  (search-test-with 'live
    (khoj-ls-test-typing (khoj-ls-search (list (khoj-ls-test-path "kitchen")))
      "flour" (search-test-list) "RET")
    (should (string-prefix-p "kitchen/" (khoj-ls-test-place)))))

(ert-deftest notes-are-searched-from-a-buffer-that-is-no-note ()
  (let ((khoj-ls-search-interface 'live))
    (with-current-buffer (get-buffer-create "*scratch*")
      (save-window-excursion
        (switch-to-buffer (current-buffer))
        (khoj-ls-test-typing (khoj-ls-search) "外婆" (search-test-list) "RET")
        (should (equal (khoj-ls-test-place) "kitchen/外婆的饺子.md:7"))))))

(ert-deftest incomplete-answers-are-told ()
  (pcase-dolist (`(,result ,note)
                 '(((:hits [1] :degraded t :reason "vectors are being made" :coverage 0.439)
                    "incomplete: vectors are being made (43 % indexed by meaning)")
                   ((:hits [] :degraded t :reason "the model does not answer" :coverage 1.0)
                    "nothing yet: the model does not answer (100 % indexed by meaning)")
                   ((:hits [] :degraded :json-false) "Nothing found")
                   ((:hits [1] :degraded :json-false) nil)))
    (should (equal (khoj-ls-search-note result) note))))

(ert-deftest what-follows-the-typing-is-used-and-a-list-of-our-own-beside-what-does-not ()
  (pcase-dolist (`(,mode ,consult ,expected)
                 '((nil t live) (nil nil live) (ivy-mode t live) (helm-mode t live)
                   (vertico-mode t consult) (icomplete-mode t consult)
                   (vertico-mode nil completing-read) (fido-mode nil completing-read)))
    (when (memq mode '(ivy-mode helm-mode vertico-mode))
      (require (if (eq mode 'helm-mode) 'helm-mode (intern (string-remove-suffix "-mode" (symbol-name mode))))))
    (cl-letf (((symbol-function 'locate-library) (lambda (&rest _) consult)))
      (let ((khoj-ls-search-interface 'auto))
        (cl-progv '(vertico-mode icomplete-mode fido-mode mct-mode) nil
          (when mode (funcall mode 1))
          (unwind-protect
              (should (equal (list mode consult (khoj-ls-search--interface)) (list mode consult expected)))
            (when mode (funcall mode -1))))))))

(ert-deftest completing-read-follows-what-is-typed ()
  (search-test-with 'completing-read
    (fido-vertical-mode 1)
    (unwind-protect
        (khoj-ls-test-typing (khoj-ls-search)
          "Belkin SPC RT3200 SPC serial"
          (let ((first (car-safe completion-all-sorted-completions)))
            (and (stringp first) (string-prefix-p "Home network › Machines" first)))
          "RET")
      (fido-vertical-mode -1))
    (should (equal (khoj-ls-test-place) "homelab/network.md:24"))
    (should (equal khoj-ls-search-history '("Belkin RT3200 serial")))))

(require 'vertico)
(require 'marginalia)
(require 'orderless)

(defun search-test-vertico ()
  "What Vertico shows below the prompt, or nil."
  (let ((window (active-minibuffer-window)))
    (and window
         (with-current-buffer (window-buffer window)
           (and (bound-and-true-p vertico--candidates-ov)
                (substring-no-properties (overlay-get vertico--candidates-ov 'after-string)))))))

(defmacro search-test-in-vertico (interface &rest body)
  "Run BODY with INTERFACE where Vertico, Marginalia and Orderless are on."
  (declare (indent 1))
  `(search-test-with ,interface
     (let ((completion-styles '(orderless basic)))
       (vertico-mode 1)
       (marginalia-mode 1)
       (unwind-protect (progn ,@body)
         (marginalia-mode -1)
         (vertico-mode -1)))))

(defconst search-test-line
  "0\\.[0-9][0-9] Home network › Machines.*  homelab/network\\.md:24  .*Belkin"
  "The hit as lists show it.")

(ert-deftest vertico-follows-what-is-typed ()
  (search-test-in-vertico 'completing-read
    (khoj-ls-test-typing (khoj-ls-search)
      "Belkin SPC RT3200 SPC serial"
      (string-match-p search-test-line (or (search-test-vertico) ""))
      "RET")
    (should (equal (khoj-ls-test-place) "homelab/network.md:24"))))

(ert-deftest consult-shows-hits-in-vertico-and-looks-at-them ()
  (search-test-in-vertico 'auto
    (should (eq (khoj-ls-search--interface) 'consult))
    (let ((window (selected-window)))
      (khoj-ls-test-typing (khoj-ls-search)
        "Belkin SPC RT3200 SPC serial"
        (string-match-p search-test-line (or (search-test-vertico) ""))
        (not (equal "index.md" (buffer-name (window-buffer window))))
        "RET"))
    (should (equal (khoj-ls-test-place) "homelab/network.md:24"))))

(provide 'search-test)
;;; search-test.el ends here
