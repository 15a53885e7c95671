;;; notes-test.el --- What the server does to notes  -*- lexical-binding: t; -*-
;;; Code:

(require 'khoj-ls-test)

(defun notes-test-types ()
  "The formats of the hits that are offered, without duplicates; nil while there are none."
  (let ((window (active-minibuffer-window)))
    (and window
         (with-current-buffer (window-buffer window)
           (delete-dups (mapcar (lambda (hit) (plist-get hit :type))
                                (khoj-ls-live-items khoj-ls-live--state)))))))

(defun notes-test-text (name)
  "The text of the note NAME as Emacs has it, and what was changed is thrown away."
  (with-current-buffer (find-file-noselect (khoj-ls-test-path name))
    (prog1 (buffer-substring-no-properties (point-min) (point-max))
      (set-buffer-modified-p nil)
      (kill-buffer))))

(ert-deftest a-section-moves-to-a-note-of-its-format ()
  (khoj-ls-test-note "moves-here.org" "* Zeppelins\nAirships over the lake.\n"
    (khoj-ls-test-indexed "moves-here.org")
    (khoj-ls-test-note "moves.org" "* Stays\n\n* Airship |show\nSaw the zeppelin.\n"
      (let ((khoj-ls-search-interface 'live) (types nil))
        (khoj-ls-test-typing (khoj-ls-refile)
          "Zeppelins SPC Airships SPC lake" (setq types (notes-test-types)) "RET")
        (should (equal types '("org"))))
      (should (equal (notes-test-text "moves.org") "* Stays\n\n")))
    (should (string-match-p "Airships over the lake\\.\n+\\*+ Airship show\nSaw the zeppelin\\."
                            (notes-test-text "moves-here.org")))))

(ert-deftest a-section-becomes-a-note-and-comes-back ()
  (khoj-ls-test-note "whole.md" "# Whole\n\nBefore.\n\n## The |quokka part\n\nSmall marsupials.\n"
    (let ((made nil))
      (unwind-protect
          (progn
            (khoj-ls-extract)
            (setq made (khoj-ls-test-path (car (split-string (khoj-ls-test-place) ":"))))
            (should (string-match-p "quokka" made))
            (should (string-search "Small marsupials." (buffer-string)))
            (save-buffer)
            (switch-to-buffer (find-file-noselect (khoj-ls-test-path "whole.md")))
            (should-not (string-search "Small marsupials." (buffer-string)))
            (save-buffer)
            (khoj-ls-test-indexed (file-name-nondirectory made))
            (goto-char (point-max))
            (search-backward "]]")
            (cl-letf (((symbol-function 'yes-or-no-p) #'always))
              (khoj-ls-inline))
            (should (string-search "Small marsupials." (buffer-string)))
            (should-not (file-exists-p made)))
        (when (and made (file-exists-p made))
          (delete-file made))))))

(ert-deftest contents-and-related-notes-are-written-as-sections ()
  (khoj-ls-test-note "sections.md" "# Evenings\n\n## Router\n\nHow I fixed the router and the Wi-Fi.\n\n## Bread|\n\nSourdough.\n"
    (khoj-ls-insert-toc)
    (should (string-match-p "- \\[\\[#Router|Router\\]\\]\n- \\[\\[#Bread|Bread\\]\\]\n" (buffer-string)))
    (khoj-ls-insert-related)
    (should (string-match-p "## Related\n+- \\[\\[" (buffer-string)))))

(provide 'notes-test)
;;; notes-test.el ends here
