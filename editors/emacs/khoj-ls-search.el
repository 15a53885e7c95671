;;; khoj-ls-search.el --- Search notes as you type  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; `khoj-ls-search' finds passages by words and by meaning from any buffer.

;;; Code:

(require 'cl-lib)
(require 'khoj-ls-connection)
(require 'khoj-ls-live)
(require 'khoj-ls-place)
(require 'khoj-ls-preview)
(require 'khoj-ls-request)
(require 'khoj-ls-scope)

(defcustom khoj-ls-search-limit 20
  "Number of passages that a search shows at most (1 to 100)."
  :group 'khoj-ls
  :type 'natnum)

(defcustom khoj-ls-search-interface 'auto
  "How hits are chosen.
`auto': where a completion that follows what is typed is on (Vertico,
Icomplete, Fido, Mct) by it, with Consult if that is installed; else by a
list of our own.  Ivy and Helm ask for candidates only once, before
anything is typed: with them it is our own, too."
  :group 'khoj-ls
  :type '(choice (const :tag "What fits" auto)
                 (const :tag "Consult" consult)
                 (const :tag "completing-read" completing-read)
                 (const :tag "A list of our own" live)))

(defcustom khoj-ls-search-preview t
  "Whether a hit is shown while you choose."
  :group 'khoj-ls
  :type 'boolean)

(defface khoj-ls-score '((t :inherit shadow))
  "Face of scores." :group 'khoj-ls)

(defface khoj-ls-title '((t :inherit default))
  "Face of titles and headings of hits." :group 'khoj-ls)

(defface khoj-ls-path '((t :inherit font-lock-comment-face))
  "Face of files of hits." :group 'khoj-ls)

(defface khoj-ls-snippet '((t :inherit shadow))
  "Face of excerpts." :group 'khoj-ls)

(defface khoj-ls-match '((t :inherit match))
  "Face of the words that were found." :group 'khoj-ls)

(defvar khoj-ls-search-history nil "What was searched for.")

;; Choosing hits is not completing words: whatever the server found for the
;; input fits it.
(defvar khoj-ls-search--style
  '(khoj-ls khoj-ls-search--try khoj-ls-search--all "All that the server has found.")
  "The completion style for hits.")

(defun khoj-ls-search--try (string table predicate point)
  "Leave STRING with POINT as it is where TABLE finds something for PREDICATE."
  (cond ((test-completion string table predicate) t)
        ((all-completions string table predicate) (cons string point))))

(defun khoj-ls-search--all (string table predicate _point)
  "All that TABLE finds for STRING and PREDICATE."
  (all-completions string table predicate))

(defun khoj-ls-search-parameters (query limit within prefix)
  "What khoj/search is asked: QUERY, LIMIT; WITHIN these files and folders.
With PREFIX the last word may be a beginning."
  (append `(:query ,query :limit ,(max 1 (min 100 limit)))
          (and within `(:within ,(vconcat (mapcar #'expand-file-name within))))
          (and prefix '(:prefix t))))

(defvar khoj-ls-search--type nil
  "The format, org or markdown, that hits have to be in; nil: any.")

(defun khoj-ls-search--fitting (result)
  "RESULT with those of its hits alone that are in the format that is wanted."
  (if (null khoj-ls-search--type)
      result
    (plist-put (copy-sequence result) :hits
               (seq-into (seq-filter (lambda (hit)
                                       (equal khoj-ls-search--type (plist-get hit :type)))
                                     (plist-get result :hits))
                         'vector))))

(defun khoj-ls-search-note (result)
  "What to tell of the search RESULT beside its hits, or nil."
  (let ((respelled (plist-get result :respelled)))
    (cond
     ((eq t (plist-get result :degraded))
      (format "%s: %s (%d %% indexed by meaning)"
              (if (cl-plusp (length (plist-get result :hits))) "incomplete" "nothing yet")
              (or (plist-get result :reason) "a part of the search was missing")
              (floor (* 100 (or (plist-get result :coverage) 0)))))
     ((zerop (length (plist-get result :hits))) khoj-ls-no-hits)
     (respelled
      (format "read as: %s"
              (cl-loop for (word stem) on respelled by #'cddr
                       concat (format "%s → %s " (substring (symbol-name word) 1) stem)))))))

;;;; How a hit is written

(defun khoj-ls-search-snippet (hit)
  "The excerpt of HIT, the words that matched highlighted."
  (let ((text (propertize (or (plist-get hit :snippet) "") 'face 'khoj-ls-snippet)))
    (cl-loop for pair across (or (plist-get hit :highlights) [])
             for from = (aref pair 0) for to = (min (aref pair 1) (length text))
             when (< from to)
             ;; Not the grey of the rest: what is behind a match may be near it.
             do (put-text-property from to 'face 'khoj-ls-match text))
    text))

(defun khoj-ls-search-score (hit)
  "The score of HIT as text; blank for what filters alone let through."
  (let ((score (plist-get hit :score)))
    (propertize (if (zerop score) "    " (format "%.2f" score)) 'face 'khoj-ls-score)))

(defun khoj-ls-search-where (hit)
  "File and line of HIT as text."
  (propertize (format "%s:%d" (khoj-ls-path-of-hit hit)
                      (1+ (plist-get (plist-get (plist-get hit :range) :start) :line)))
              'face 'khoj-ls-path))

(defun khoj-ls-search-line (hit &optional _width)
  "HIT on one line."
  (concat (khoj-ls-search-score hit) " "
          (propertize (khoj-ls-heading-path hit) 'face 'khoj-ls-title) "  "
          (khoj-ls-search-where hit) "  "
          (khoj-ls-search-snippet hit)))

(defun khoj-ls-search-candidate (hit number)
  "HIT as a candidate for completion; NUMBER tells it from others called the same."
  (propertize (concat (khoj-ls-heading-path hit)
                      (propertize (string (+ #x100000 number)) 'invisible t 'display ""))
              'khoj-ls-hit hit))

(defun khoj-ls-search-candidates (result)
  "The hits of RESULT as candidates."
  (seq-map-indexed #'khoj-ls-search-candidate (plist-get result :hits)))

(defun khoj-ls-search-hit (candidate)
  "The hit that CANDIDATE is made of, or nil."
  (and candidate (not (string-empty-p candidate))
       (get-text-property 0 'khoj-ls-hit candidate)))

(defun khoj-ls-search-affixation (candidates)
  "CANDIDATES with scores in front, and files and excerpts behind."
  (mapcar (lambda (candidate)
            (if-let ((hit (khoj-ls-search-hit candidate)))
                (list candidate
                      (concat (khoj-ls-search-score hit) " ")
                      (concat "  " (khoj-ls-search-where hit)
                              "  " (khoj-ls-search-snippet hit)))
              (list candidate "" "")))
          candidates))

;;;; Interfaces

(declare-function khoj-ls-consult-read "khoj-ls-consult")

(defun khoj-ls-search--interface ()
  "The interface to use, one of those of `khoj-ls-search-interface' but auto."
  (if (not (eq khoj-ls-search-interface 'auto))
      khoj-ls-search-interface
    (cond ((not (khoj-ls-search--followed-p)) 'live)
          ((locate-library "consult") 'consult)
          (t 'completing-read))))

(defun khoj-ls-search--followed-p ()
  "Whether `completing-read' shows what there is for each thing that is typed."
  (and (eq completing-read-function #'completing-read-default)
       (cl-some (lambda (mode) (and (boundp mode) (symbol-value mode)))
                '(vertico-mode icomplete-mode fido-mode mct-mode))))

(cl-defun khoj-ls-search-read (prompt &key within initial type)
  "Read with PROMPT what is searched for, and let a hit be chosen.
WITHIN restricts the search to these files and folders, TYPE to notes of a
format; INITIAL is typed already.  Returns (HIT HOW), as `khoj-ls-live-read'
has it; HIT may be nil."
  (khoj-ls-scope-prepare)
  (let* ((khoj-ls-search--type type)
         (interface (khoj-ls-search--interface))
         (window (if (minibufferp) (minibuffer-selected-window) (selected-window)))
         (preview (and khoj-ls-search-preview (not (eq interface 'completing-read))
                       (khoj-ls-preview-begin window))))
    (unwind-protect
        (pcase interface
          ('consult
           (require 'khoj-ls-consult)
           (khoj-ls-consult-read prompt within initial preview))
          ('completing-read (khoj-ls-search--complete prompt within initial))
          (_ (khoj-ls-search--live prompt within initial preview)))
      (when preview (khoj-ls-preview-end preview)))))

(defun khoj-ls-search--live (prompt within initial preview)
  "Read with PROMPT and INITIAL input by a list of our own.
WITHIN is as for `khoj-ls-search-read'; hits are shown in PREVIEW."
  (seq-take
   (khoj-ls-live-read
    prompt
    (lambda (input show)
      (khoj-ls-request-async
       :khoj/search
       (khoj-ls-search-parameters input khoj-ls-search-limit within t)
       (lambda (result)
         (let ((fitting (khoj-ls-search--fitting result)))
           (funcall show (append (plist-get fitting :hits) nil) (khoj-ls-search-note fitting))))
       (lambda (problem) (funcall show nil (khoj-ls-error-text problem)))))
    :line #'khoj-ls-search-line
    :look (and preview (lambda (hit) (khoj-ls-preview-show preview hit)))
    :history 'khoj-ls-search-history
    :initial initial
    :default (thing-at-point 'word t)
    :capf #'khoj-ls-search-complete-query)
   2))

(defun khoj-ls-search-collect (input within)
  "Candidates for INPUT, searched WITHIN these files; waits, and stops at input.
What is wrong is told in the echo area."
  (unless (string-blank-p input)
    (condition-case problem
        (let ((result (khoj-ls-search--fitting
                       (khoj-ls-request
                        :khoj/search
                        (khoj-ls-search-parameters input khoj-ls-search-limit within t)))))
          (when-let ((note (khoj-ls-search-note result)))
            (let ((message-log-max nil))
              (minibuffer-message "%s" note)))
          (khoj-ls-search-candidates result))
      (user-error (minibuffer-message "%s" (error-message-string problem))
                  nil))))

(defun khoj-ls-search--table (within hits)
  "A completion table of what is found WITHIN these files for its input.
HITS is a hash table that keeps the hit of each candidate: what completes may
take away the properties of strings."
  (let ((asked nil) (found nil))
    (lambda (string predicate action)
      (pcase action
        ('metadata `(metadata (category . khoj-ls-hit)
                              (affixation-function . ,#'khoj-ls-search-affixation)
                              (display-sort-function . identity)
                              (cycle-sort-function . identity)))
        (`(boundaries . ,_) nil)
        (_
         ;; A candidate that was put into the minibuffer is not searched for.
         (unless (or (equal string asked) (member string found))
           (let ((new (while-no-input (list (khoj-ls-search-collect string within)))))
             (when (consp new)
               (setq asked string found (car new))
               (dolist (each found)
                 (puthash each (khoj-ls-search-hit each) hits)))))
         (pcase action
           ('t (if predicate (seq-filter predicate found) (copy-sequence found)))
           ('lambda (and (member string found) t))
           (_ (cond ((member string found) t)
                    (found string)))))))))

(defun khoj-ls-search--complete (prompt within initial)
  "Read with PROMPT and INITIAL input by `completing-read', WITHIN as for others."
  (let* ((completion-styles-alist (cons khoj-ls-search--style completion-styles-alist))
         (completion-category-overrides
          (cons '(khoj-ls-hit (styles khoj-ls)) completion-category-overrides))
         (hits (make-hash-table :test 'equal))
         (table (khoj-ls-search--table within hits))
         (query nil)
         (note (lambda ()
                 (let ((input (minibuffer-contents-no-properties)))
                   (unless (funcall table input nil 'lambda)
                     (setq query input)))))
         (chosen
          (minibuffer-with-setup-hook
              (lambda ()
                (khoj-ls-search--type-freely)
                (add-hook 'post-command-hook note nil t))
            (let ((history-add-new-input nil))
              (completing-read prompt table nil t initial 'khoj-ls-search-history)))))
    (when (and query (not (string-blank-p query)))
      (add-to-history 'khoj-ls-search-history query))
    (list (gethash chosen hits) nil)))

(defun khoj-ls-search--type-freely ()
  "Let blanks and question marks be typed in this minibuffer: a query has them."
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (current-local-map))
    (define-key map " " #'self-insert-command)
    (define-key map "?" #'self-insert-command)
    (use-local-map map)))

(defun khoj-ls-search-complete-query ()
  "Complete filters of a query, like tag: and their values, at point."
  (let* ((start (minibuffer-prompt-end))
         (query (minibuffer-contents-no-properties))
         (found (append (plist-get (khoj-ls-request :khoj/completeQuery
                                                    `(:query ,query :offset ,(- (point) start)))
                                   :completions)
                        nil)))
    (when found
      (list (+ start (plist-get (car found) :start))
            (+ start (plist-get (car found) :end))
            (mapcar (lambda (each)
                      (propertize (plist-get each :text) 'khoj-ls-detail (plist-get each :detail)))
                    found)
            :exclusive 'no
            :annotation-function
            (lambda (text) (concat "  " (get-text-property 0 'khoj-ls-detail text)))))))

;;;###autoload
(defun khoj-ls-search (&optional within initial)
  "Search your notes by words and by meaning, and go to what you choose.
With a prefix argument ask for a folder to search WITHIN.  An active region
of one line is the INITIAL input.  Filters like tag:garden or file:2024
narrow the search; in double quotes words must stand exactly so."
  (interactive
   (list (and current-prefix-arg
              (list (read-directory-name "Search within: " nil nil t)))
         (and (use-region-p)
              (not (string-search "\n" (buffer-substring (region-beginning) (region-end))))
              (buffer-substring-no-properties (region-beginning) (region-end)))))
  (pcase-let ((`(,hit ,how) (khoj-ls-search-read "Search notes: " :within within :initial initial)))
    (cond ((null hit) (message "khoj-ls: nothing chosen"))
          ((eq how 'link) (khoj-ls-insert-link-to hit))
          (t (khoj-ls-visit-hit hit (eq how 'other-window))))))

(declare-function khoj-ls-insert-link-to "khoj-ls-links" (hit))

(provide 'khoj-ls-search)
;;; khoj-ls-search.el ends here
