;;; links-test.el --- Links, backlinks and edits of notes  -*- lexical-binding: t; -*-
;;; Code:

(require 'khoj-ls-test)

(defun links-test-list ()
  "What the list in the minibuffer shows, or nil while nothing is there."
  (and (minibufferp) khoj-ls-live--state (khoj-ls-live-items khoj-ls-live--state)
       (substring-no-properties
        (overlay-get (khoj-ls-live-overlay khoj-ls-live--state) 'after-string))))

(defun links-test-xrefs (command)
  "What COMMAND shows by Xref, as \"file:line summary\" each."
  (let ((items nil))
    (cl-letf (((symbol-function 'khoj-ls-links--show-xrefs)
               (lambda (fetcher) (setq items (funcall fetcher)))))
      (call-interactively command))
    (mapcar (lambda (item)
              (let ((place (xref-item-location item)))
                (format "%s:%d %s"
                        (file-relative-name (xref-location-group place) khoj-ls-test-notes)
                        (xref-location-line place)
                        (xref-item-summary item))))
            items)))

;;;; Following

(ert-deftest links-of-each-kind-lead-to-their-place ()
  (pcase-dolist
      (`(,note ,text ,place)
       '(("homelab/network.md" "[[evenings-without-wifi#How" "homelab/evenings-without-wifi.md:35")
         ("homelab/network.md" "[dns.org](dn" "homelab/dns.org:1")
         ("homelab/dns.org" "[[file:netw" "homelab/network.md:1")
         ("projects.org" "[[id:7c1d" "notes/zero-inflation.org:1")
         ("kitchen/外婆的饺子.md" "[[japan" "travel/japan-2025.md:1")))
    (khoj-ls-test-in note text
      (khoj-ls-follow-link)
      (should (equal (list text (khoj-ls-test-place)) (list text place)))
      (should (equal (progn (xref-pop-marker-stack) (buffer-file-name))
                     (khoj-ls-test-path note))))))

(ert-deftest what-is-no-link-is-not-followed ()
  (khoj-ls-test-in "homelab/network.md" "Machines are named"
    (khoj-ls-test-error "No link to a note is here" (khoj-ls-follow-link))))

(ert-deftest org-open-at-point-follows-ids-and-names-by-the-server ()
  (khoj-ls-test-in "projects.org" "[[id:7c1d"
    (khoj-ls-mode 1)
    (org-open-at-point)
    (should (equal (khoj-ls-test-place) "notes/zero-inflation.org:1")))
  (khoj-ls-test-note "by-name.org" "* Note\n[[|network]]\n"
    (khoj-ls-mode 1)
    (org-open-at-point)
    (should (equal (khoj-ls-test-place) "homelab/network.md:1"))))

(ert-deftest org-keeps-links-that-are-its-own ()
  (khoj-ls-test-note "own.org" "* Here\n[[|*Here]] [[https://example.org]]\n"
    (khoj-ls-mode 1)
    (search-forward "https")
    (should-not (khoj-ls-org-open-at-point))))

(ert-deftest markdown-follow-goes-by-the-server ()
  (khoj-ls-test-in "homelab/network.md" "[[evenings-without-wifi#How"
    (khoj-ls-mode 1)
    (should (eq (key-binding (kbd "C-c C-o")) #'khoj-ls-markdown-follow))
    (call-interactively (key-binding (kbd "C-c C-o")))
    (should (equal (khoj-ls-test-place) "homelab/evenings-without-wifi.md:35"))))

(ert-deftest markdown-follow-opens-files-that-are-no-notes-in-emacs ()
  (let ((file (make-temp-file "khoj-ls" nil ".txt" "one\ntwo\n")))
    (khoj-ls-test-note "file-link.md" (format "[x|](%s#L2)\n" (khoj-ls-path-to-uri file))
      (khoj-ls-markdown-follow nil)
      (should (equal (khoj-ls-test-line) "two"))
      (kill-buffer))
    (delete-file file)))

(ert-deftest xref-follows-where-no-client-serves-the-note ()
  (khoj-ls-test-in "homelab/network.md" "[[evenings-without-wifi#How"
    (khoj-ls-mode 1)
    (should (eq (xref-find-backend) 'khoj-ls))
    (let ((this-command 'xref-find-definitions))
      (call-interactively #'xref-find-definitions))
    (should (equal (khoj-ls-test-place) "homelab/evenings-without-wifi.md:35"))
    (should (member "homelab/network.md:35"
                    (mapcar (lambda (item) (format "%s:%d"
                                                   (file-relative-name
                                                    (xref-location-group (xref-item-location item))
                                                    khoj-ls-test-notes)
                                                   (xref-location-line (xref-item-location item))))
                            (xref-backend-references 'khoj-ls "here"))))))

;;;; Lists

(ert-deftest backlinks-are-shown-with-their-lines ()
  (khoj-ls-test-in "kitchen/sourdough.md" "# "
    (let ((shown (links-test-xrefs #'khoj-ls-backlinks)))
      (should (seq-find (lambda (each)
                          (string-match-p "\\`inbox.md:7 .*smells like nail varnish" each))
                        shown))
      (should (= (length shown) (length (delete-dups (copy-sequence shown))))))))

(ert-deftest backlinks-of-a-section-are-its-own ()
  (khoj-ls-test-in "kitchen/sourdough.md" "## Hildegard"
    (let* ((current-prefix-arg '(4))
           (shown (links-test-xrefs #'khoj-ls-backlinks)))
      (should (= 1 (length (seq-filter (lambda (each) (string-prefix-p "inbox.md:7" each)) shown)))))))

(ert-deftest a-note-without-backlinks-says-so ()
  (khoj-ls-test-note "lonely-note-of-nobody.md" "# Lonely\n"
    (khoj-ls-test-indexed "lonely-note-of-nobody.md")
    (should (equal (khoj-ls-test-messages (khoj-ls-backlinks)) "khoj-ls: No note links here"))))

;;;; Hover

(ert-deftest a-hover-opens-the-note-that-it-names ()
  (khoj-ls-test-in "homelab/network.md" "[[evenings-without-wifi#How"
    (khoj-ls-hover)
    (with-current-buffer "*khoj-ls hover*"
      (should (string-match-p "Evenings without Wi-Fi" (buffer-string)))
      (should-not (string-match-p "](\\|\\*\\*\\|\\\\" (buffer-string)))
      (khoj-ls-hover-open))
    (should (string-prefix-p "homelab/evenings-without-wifi.md" (khoj-ls-test-place)))))

(ert-deftest a-heading-tells-what-is-related-and-its-link-is-followed ()
  (khoj-ls-test-in "homelab/network.md" "Wi-Fi\n-"
    (forward-line -1)
    (khoj-ls-hover)
    (with-current-buffer "*khoj-ls hover*"
      (goto-char (point-min))
      (search-forward "Related")
      (forward-button 1)
      (should (string-match-p "Evenings without Wi-Fi"
                              (buffer-substring (point) (line-end-position))))
      (khoj-ls-hover-open))
    (should (string-match-p "\\`homelab/evenings-without-wifi\\.md:[0-9]+" (khoj-ls-test-place)))))

(ert-deftest eldoc-tells-of-the-link-at-point ()
  (khoj-ls-test-in "homelab/network.md" "[[evenings-without-wifi#How"
    (khoj-ls-mode 1)
    (should (memq #'khoj-ls-eldoc-function eldoc-documentation-functions))
    (let ((told nil))
      (khoj-ls-eldoc-function (lambda (text &rest _) (setq told text)))
      (khoj-ls-test-wait "a hover" told)
      (should (string-match-p "How I repaired it" told)))))

(ert-deftest markdown-of-hovers-is-drawn ()
  (pcase-dolist (`(,markdown ,text)
                 '(("**3 links** here" "3 links here")
                   ("- [A \\[b\\] c](file:///a%20%28b%29.md#L3): x\\_y" "- A [b] c: x_y")
                   ("![pic](file:///a.png)" "pic")
                   ("a\n\n---\n\nb" "a\n\n────\n\nb")
                   ("```python\nx = [1](2)\n```" "x = [1](2)")
                   ("two  \nlines" "two\nlines")))
    (should (equal (substring-no-properties (khoj-ls-hover-draw markdown)) text)))
  (should (equal (get-text-property 2 'khoj-ls-uri (khoj-ls-hover-draw "- [A](file:///a.md#L3)"))
                 "file:///a.md#L3")))

;;;; Making links

(ert-deftest a-link-is-written-as-the-format-has-it ()
  (pcase-dolist (`(,note ,text ,line)
                 '(("new.md" "# Note\n\n🥟 外婆 |.\n" "🥟 外婆 [[network|Home network]].")
                   ("new.org" "* Note\n🥟 外婆 |.\n" "🥟 外婆 [[file:homelab/network.md][Home network]].")))
    (khoj-ls-test-note note text
      (let ((inhibit-message nil))
        (insert "see ")
        (khoj-ls-test-typing (khoj-ls-insert-link)
          "Belkin SPC RT3200 SPC serial" (links-test-list) "RET")
        (should (equal (khoj-ls-test-line) (string-replace "外婆 " "外婆 see " line)))
        (should (equal (char-after) ?.))
        (undo-boundary)
        (undo)
        (should (equal (khoj-ls-test-line) "🥟 外婆 see ."))))))

(ert-deftest a-region-becomes-the-label ()
  (khoj-ls-test-note "label.md" "# Note\n\nAsk |the machines now.\n"
    (push-mark (+ (point) (length "the machines")) t t)
    (let ((transient-mark-mode t))
      (khoj-ls-test-typing (khoj-ls-insert-link)
        "Belkin SPC RT3200 SPC serial" (links-test-list) "RET"))
    (should (equal (khoj-ls-test-line) "Ask [[network|the machines]] now."))))

(ert-deftest a-link-to-the-heading-that-was-found ()
  (khoj-ls-test-note "heading.md" "# Note\n\n|\n"
    (khoj-ls-test-typing (khoj-ls-insert-link)
      "Belkin SPC RT3200 SPC serial" (links-test-list) "M-RET")
    (should (string-prefix-p "[[network#Machines" (khoj-ls-test-line)))))

(ert-deftest what-belongs-here-is-suggested-before-anything-is-typed ()
  (khoj-ls-test-note "suggest.md" "# Note\n\nHow the Home network| got quiet again.\n"
    (let ((shown nil))
      (should (eq 'quit (khoj-ls-test-typing (khoj-ls-insert-link)
                          (setq shown (links-test-list)) "C-g")))
      (should (string-match-p "“Home network”  homelab/network\\.md" shown)))))

(ert-deftest a-read-only-note-is-left-alone ()
  (khoj-ls-test-in "homelab/network.md" ""
    (setq buffer-read-only t)
    (should-error (call-interactively #'khoj-ls-insert-link) :type 'buffer-read-only)
    (setq buffer-read-only nil)))

;;;; Edits

(defun links-test-edit (path edits)
  "An LSP WorkspaceEdit of the note at PATH: EDITS are (LINE FROM TO TEXT)."
  `(:documentChanges
    [(:textDocument (:uri ,(khoj-ls-path-to-uri (khoj-ls-test-path path)))
      :edits ,(vconcat (mapcar (pcase-lambda (`(,line ,from ,to ,text))
                                 `(:range (:start (:line ,line :character ,from)
                                           :end (:line ,line :character ,to))
                                   :newText ,text))
                               edits)))]))

(ert-deftest edits-are-made-as-one-step-and-in-their-order ()
  (khoj-ls-test-note "edits.md" "one 🥟 two\nthree\n"
    (khoj-ls-apply-edit (links-test-edit "edits.md" '((0 0 3 "ONE") (0 6 9 "TWO") (1 0 0 "a") (1 0 0 "b"))))
    (should (equal (buffer-string) "ONE 🥟 TWO\nabthree\n"))
    (should (buffer-modified-p))
    (undo-boundary)
    (undo)
    (should (equal (buffer-string) "one 🥟 two\nthree\n"))))

(ert-deftest nothing-is-changed-where-one-note-cannot-be ()
  (khoj-ls-test-note "locked.md" "text\n"
    (setq buffer-read-only t)
    (khoj-ls-test-error "locked.md is read-only; nothing was changed"
      (khoj-ls-apply-edit (links-test-edit "locked.md" '((0 0 4 "other")))))
    (should (equal (buffer-string) "text\n"))))

(ert-deftest a-note-that-nobody-shows-is-saved-after-an-edit ()
  (let ((path (khoj-ls-test-path "unseen.md")))
    (unwind-protect
        (progn
          (write-region "text\n" nil path nil 'silently)
          (khoj-ls-apply-edit (links-test-edit "unseen.md" '((0 0 4 "other"))))
          (with-temp-buffer
            (insert-file-contents path)
            (should (equal (buffer-string) "other\n"))))
      (kill-buffer (find-buffer-visiting path))
      (delete-file path))))

(ert-deftest a-rename-leads-links-and-file-on ()
  (khoj-ls-test-note "to-rename.md" "# Old |name\n"
    (khoj-ls-test-note "links-there.md" "See [[to-rename]].|\n"
      (mapc #'khoj-ls-test-indexed '("to-rename.md" "links-there.md"))
      (switch-to-buffer (find-file-noselect (khoj-ls-test-path "to-rename.md")))
      (khoj-ls-test-typing (call-interactively #'khoj-ls-rename)
        "C-a C-k New SPC name RET")
      (let ((new (buffer-file-name)))
        (should (string-match-p "new name\\.md\\'\\|New name\\.md\\'\\|new-name\\.md\\'\\|to-rename\\.md\\'" new))
        (should (string-match-p "\\`# New name" (buffer-string)))
        (let ((line (with-current-buffer (find-buffer-visiting (khoj-ls-test-path "links-there.md"))
                      (buffer-string))))
          (should (string-match-p (regexp-quote (file-name-base new)) line)))
        (set-buffer-modified-p nil)
        (kill-buffer)
        (delete-file new)))))

(ert-deftest the-daily-note-is-made-and-shown ()
  (khoj-ls-test-in "index.md" ""
    (khoj-ls-daily "2031-01-02")
    (should (string-prefix-p "daily/2031-01-02.md" (khoj-ls-test-place)))
    (should (file-exists-p (buffer-file-name)))
    (let ((made (buffer-file-name)))
      (set-buffer-modified-p nil)
      (kill-buffer)
      (delete-file made))
    (khoj-ls-daily "2024-05-01")
    (should (string-prefix-p "daily/2024-05-01.md" (khoj-ls-test-place)))
    (khoj-ls-daily-next)
    (should (string-prefix-p "daily/2024-05-03.md" (khoj-ls-test-place)))
    (khoj-ls-daily-previous)
    (should (string-prefix-p "daily/2024-05-01.md" (khoj-ls-test-place)))))

(ert-deftest a-captured-region-moves-into-a-note-of-its-own ()
  (khoj-ls-test-note "capture-from.md" "# Note\n\nKeep. |Move this. Stay.\n"
    (push-mark (+ (point) (length "Move this.")) t t)
    (let ((transient-mark-mode t) (from (current-buffer)))
      (khoj-ls-capture "Moved away")
      (let ((new (buffer-file-name)))
        (should-not (equal new (khoj-ls-test-path "capture-from.md")))
        (should (string-match-p "Move this\\." (buffer-string)))
        (with-current-buffer from
          (should (string-match-p "Keep\\. \\[\\[.*\\]\\] Stay\\." (buffer-string))))
        (set-buffer-modified-p nil)
        (kill-buffer)
        (delete-file new)))))

(provide 'links-test)
;;; links-test.el ends here
