;;; init.el --- A person's settings, for the tests on a screen  -*- lexical-binding: t; -*-
;;; Code:

(setq native-comp-async-report-warnings-errors 'silent
      inhibit-startup-screen t
      create-lockfiles nil
      make-backup-files nil
      ring-bell-function #'ignore
      frame-background-mode (intern (or (getenv "KHOJ_TEST_BACKGROUND") "dark"))
      eldoc-idle-delay 0.1)
(frame-set-background-mode (selected-frame))
(menu-bar-mode -1)
(require 'markdown-mode)
(require 'khoj-ls)
(setq khoj-ls-folders (list default-directory)
      khoj-ls-search-interface 'live
      khoj-ls-chat-format 'markdown)
(khoj-ls-setup)

;;; init.el ends here
