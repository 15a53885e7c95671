;;; views-test.el --- Related notes, status, menu and mode  -*- lexical-binding: t; -*-
;;; Code:

(require 'khoj-ls-test)

(defmacro views-test-related (&rest body)
  "Run BODY with the related notes shown."
  `(unwind-protect
       (progn (delete-other-windows)
              (khoj-ls-related)
              ,@body)
     (when (get-buffer-window "*khoj-ls related*")
       (khoj-ls-related))
     (should-not khoj-ls-related--timer)))

(defun views-test-text ()
  "What the window of related notes shows."
  (with-current-buffer "*khoj-ls related*" (buffer-string)))

(ert-deftest related-notes-follow-point ()
  (khoj-ls-test-in "homelab/network.md" "Wi-Fi\n-"
    (views-test-related
     (khoj-ls-test-wait "what is like Wi-Fi" (string-search "Evenings without Wi-Fi" (views-test-text)))
     (should (window-parameter (get-buffer-window "*khoj-ls related*") 'window-side))
     (switch-to-buffer (find-file-noselect (khoj-ls-test-path "kitchen/zwiebelkuchen.md")))
     (khoj-ls-related--look)
     (khoj-ls-test-wait "what is like onion tart" (string-search "Sourdough" (views-test-text)))
     (kill-buffer))))

(ert-deftest a-related-note-is-gone-to-in-the-window-of-the-note ()
  (khoj-ls-test-in "homelab/network.md" "Wi-Fi\n-"
    (let ((window (selected-window)))
      (views-test-related
       (khoj-ls-test-wait "hits" (string-search "Evenings" (views-test-text)))
       (select-window (get-buffer-window "*khoj-ls related*"))
       (goto-char (point-min))
       (should (khoj-ls-related--hit))
       (khoj-ls-related-next)
       (should (get-text-property (point) 'khoj-ls-first))
       (khoj-ls-related-previous)
       (let ((hit (khoj-ls-related--hit)))
         (khoj-ls-related-open)
         (should (eq (selected-window) window))
         (should (equal (khoj-ls-test-place)
                        (format "%s:%d" (khoj-ls-path-of-hit hit)
                                (1+ (plist-get (plist-get (plist-get hit :range) :start) :line))))))))))

(ert-deftest a-note-that-another-program-changes-shows-in-related ()
  (khoj-ls-test-note "quokka.md" "# Quokkas\n\nSmall marsupials with a smile, on Rottnest Island.|\n"
    (views-test-related
     (khoj-ls-test-note "rottnest.md" "# Island\n\nNothing yet.\n"
       (switch-to-buffer (find-file-noselect (khoj-ls-test-path "quokka.md")))
       (khoj-ls-related--look t)
       (write-region "# Island\n\nMarsupials with a smile live on Rottnest Island: quokkas.\n" nil
                     (khoj-ls-test-path "rottnest.md") nil 'silently)
       (khoj-ls-test-wait "the other note" (string-search "live on Rottnest" (views-test-text)))))))

(ert-deftest status-tells-of-vaults-and-keeps-up ()
  (save-window-excursion
    (khoj-ls-status)
    (let ((text (buffer-string)))
      (should (string-match-p "^khoj-ls [0-9]" text))
      (should (string-match-p "[0-9]+ notes, [0-9]+ sections, [0-9]+ passages, .*B on disk" text))
      (should (string-match-p "█+ 100 % found by meaning   up to date" text))
      (should-not (string-match-p "khoj-ls-status-mode-map\\|nil" text)))
    (khoj-ls-pause)
    (khoj-ls-test-wait "paused" (string-search "paused" (buffer-string)))
    (khoj-ls-resume)
    (khoj-ls-test-wait "resumed" (not (string-search "paused" (buffer-string))))
    (quit-window)))

(ert-deftest what-is-hardly-like-the-place-is-not-shown ()
  (let ((hit (lambda (title score)
               `(:uri "file:///n.md" :title ,title :outline [] :snippet "" :highlights [] :score ,score
                 :vault "/" :range (:start (:line 0 :character 0) :end (:line 1 :character 0))))))
    (with-current-buffer (get-buffer-create khoj-ls-related--buffer)
      (unwind-protect
          (progn
            (khoj-ls-related--show nil `(:hits [,(funcall hit "Like it" 0.1) ,(funcall hit "Hardly" 0.09)]))
            (should (string-search "Like it" (buffer-string)))
            (should-not (string-search "Hardly" (buffer-string)))
            (khoj-ls-related--show nil `(:hits [,(funcall hit "Hardly" 0.09)]))
            (should (string-search "Nothing like this in your notes" (buffer-string))))
        (kill-buffer)))))

(ert-deftest indexing-tells-how-it-goes-and-what-it-did ()
  (let ((said (khoj-ls-test-messages
               (khoj-ls-reindex)
               (khoj-ls-test-wait "the end" (khoj-ls-call-over khoj-ls-status--indexing)))))
    (should (string-match-p "khoj-ls: indexing…" said))
    (should (string-match-p "/notes: [0-9]+ notes indexed\\'" said))))

(ert-deftest why-a-file-is-not-indexed-is-told ()
  (khoj-ls-test-in ".khojignore" ""
    (should (string-match-p "\\.khojignore is not indexed: " (khoj-ls-test-messages (khoj-ls-why))))))

(ert-deftest the-menu-shows-commands-that-there-are ()
  (dolist (menu '(khoj-ls-menu khoj-ls-chat-menu))
    (let ((commands nil))
      (named-let collect ((layout (get menu 'transient--layout)))
        (dolist (each layout)
          (if (vectorp each)
              (collect (aref each 3))
            (push (plist-get (nth 2 each) :command) commands))))
      (should (> (length commands) 8))
      (dolist (command commands)
        (should (commandp command))))))

(ert-deftest the-mode-gives-keys-and-takes-them-away ()
  (khoj-ls-test-in "index.md" ""
    (khoj-ls-mode 1)
    (should (eq (key-binding (kbd "C-c n s")) #'khoj-ls-search))
    (khoj-ls-mode -1)
    (should-not (commandp (key-binding (kbd "C-c n s"))))
    (should-not (memq #'khoj-ls-eldoc-function eldoc-documentation-functions))))

(ert-deftest the-global-mode-is-on-in-notes-alone ()
  (unwind-protect
      (progn
        (khoj-ls-global-mode 1)
        (khoj-ls-test-in "index.md" ""
          (should khoj-ls-mode))
        (let ((khoj-ls-folders '("/elsewhere")))
          (khoj-ls-test-in "inbox.md" ""
            (should-not khoj-ls-mode)))
        (with-temp-buffer
          (text-mode)
          (should-not khoj-ls-mode)))
    (khoj-ls-global-mode -1)))

(provide 'views-test)
;;; views-test.el ends here
