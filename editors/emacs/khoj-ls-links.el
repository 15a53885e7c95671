;;; khoj-ls-links.el --- Backlinks, following and making links  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What links here, where a link leads, and new links.  How a link is
;; written - in Org, in Markdown, as the tool of the vault writes it - is
;; the server's to know.

;;; Code:

(require 'cl-lib)
(require 'xref)
(require 'khoj-ls-connection)
(require 'khoj-ls-edit)
(require 'khoj-ls-live)
(require 'khoj-ls-place)
(require 'khoj-ls-preview)
(require 'khoj-ls-request)
(require 'khoj-ls-search)
(require 'khoj-ls-sync)

;;;; Lists of places

(defun khoj-ls-links--xref (summary uri position)
  "An xref item: SUMMARY at POSITION of the note at URI."
  (xref-make summary
             (xref-make-file-location (khoj-ls-uri-to-path uri)
                                      (1+ (plist-get position :line))
                                      (or (plist-get position :character) 0))))

(defun khoj-ls-links--items (links)
  "The LinkInfo values LINKS as xref items, without duplicates."
  (delete-dups
   (mapcar (lambda (link)
             (khoj-ls-links--xref (string-trim (plist-get link :readable))
                                  (plist-get link :uri)
                                  (plist-get (plist-get link :range) :start)))
           (append links nil))))

(defun khoj-ls-links--show-xrefs (fetcher)
  "Show the items that FETCHER gives in a buffer of Xref."
  (if (fboundp 'xref-show-xrefs)
      (xref-show-xrefs fetcher nil)
    ;; The Xref that comes with Emacs 28.
    (xref--show-xrefs fetcher nil)))

(declare-function xref-show-xrefs "xref" (fetcher display-action))

(defun khoj-ls-links--show (items nothing)
  "Show the xref ITEMS; where there are none the message NOTHING."
  (if items
      (khoj-ls-links--show-xrefs (lambda () items))
    (message "khoj-ls: %s" nothing)))

;;;###autoload
(defun khoj-ls-backlinks (&optional heading)
  "Show the places that link to this note.
With a prefix argument, or HEADING non-nil, those that link to the section
at point."
  (interactive "P")
  (let ((result (khoj-ls-request
                 :khoj/links
                 `(:textDocument ,(khoj-ls-document) :direction "incoming"
                   ,@(and heading `(:position ,(khoj-ls-position)))))))
    (khoj-ls-links--show (khoj-ls-links--items (plist-get result :incoming))
                         (if heading "No note links to this section"
                           khoj-ls-no-backlinks))))

;;;###autoload
(defun khoj-ls-mentions ()
  "Show the places in other notes that name this one without linking to it."
  (interactive)
  (let ((result (khoj-ls-request
                 :khoj/links
                 `(:textDocument ,(khoj-ls-document) :direction "mentions"))))
    (khoj-ls-links--show (khoj-ls-links--items (plist-get result :mentions))
                         "No note names this one without linking to it")))

;;;###autoload
(defun khoj-ls-broken-links ()
  "Show the links of your notes that lead nowhere."
  (interactive)
  (khoj-ls-scope-prepare)
  (let ((result (khoj-ls-request :khoj/links '(:select "broken"))))
    (khoj-ls-links--show (khoj-ls-links--items (plist-get result :outgoing))
                         "No link is broken")))

;;;; Following

(defun khoj-ls-links--locations (method &optional more)
  "The locations that METHOD gives for point, as a list; MORE are parameters."
  (let ((found (khoj-ls-request
                method
                `(:textDocument ,(khoj-ls-document) :position ,(khoj-ls-position) ,@more))))
    (append (if (keywordp (car-safe found)) (vector found) found) nil)))

(defun khoj-ls-links--location-items (locations)
  "The LSP LOCATIONS as xref items, each with its line."
  (mapcar (lambda (location)
            (let* ((uri (plist-get location :uri))
                   (start (plist-get (plist-get location :range) :start)))
              (khoj-ls-links--xref (khoj-ls-links--text uri (plist-get start :line)) uri start)))
          locations))

(defun khoj-ls-links--text (uri line)
  "The text of LINE (from 0) of the note at URI."
  (let* ((path (khoj-ls-uri-to-path uri))
         (buffer (find-buffer-visiting path)))
    (with-temp-buffer
      (cond (buffer (insert (with-current-buffer buffer
                              (save-restriction
                                (widen)
                                (buffer-substring-no-properties (point-min) (point-max))))))
            ((file-readable-p path) (insert-file-contents path)))
      (goto-char (point-min))
      (forward-line line)
      (string-trim (buffer-substring (line-beginning-position) (line-end-position))))))

(defun khoj-ls-links--target ()
  "Where the link at point leads, as a list of LSP locations, or nil.
On what is no link the server's answer is the place itself."
  (let ((uri (khoj-ls-path-to-uri (khoj-ls-note-file)))
        (line (plist-get (khoj-ls-position) :line)))
    (cl-remove-if (lambda (location)
                    (and (equal (khoj-ls-uri-to-path (plist-get location :uri))
                                (khoj-ls-uri-to-path uri))
                         (equal line (plist-get (plist-get (plist-get location :range) :start)
                                                :line))))
                  (khoj-ls-links--locations :textDocument/definition))))

(defun khoj-ls-links--go (locations)
  "Go to the one of LOCATIONS, or show them all."
  (if (cdr locations)
      (khoj-ls-links--show-xrefs (lambda () (khoj-ls-links--location-items locations)))
    (khoj-ls-visit (plist-get (car locations) :uri)
                   (plist-get (plist-get (car locations) :range) :start))))

;;;###autoload
(defun khoj-ls-follow-link ()
  "Go where the link at point leads, as the vault's tool understands it."
  (interactive)
  (let ((locations (khoj-ls-links--target)))
    (unless locations
      (khoj-ls-user-error "No link to a note is here"))
    (khoj-ls-links--go locations)))

(declare-function org-element-context "org-element" (&optional element))
(declare-function org-element-type "org-element" (element))
(declare-function org-element-property "org-element" (property element))

(defun khoj-ls-org-open-at-point ()
  "Follow the link at point by the server; nil where Org should do it.
For `org-open-at-point-functions': links by name and id lead into other
notes; files, addresses and the like are left to Org."
  (when (and (khoj-ls-local-file) (khoj-ls-connection-quiet-p))
    (let ((context (org-element-context)))
      (when (and (eq (org-element-type context) 'link)
                 (member (org-element-property :type context) '("fuzzy" "id")))
        (when-let ((locations (ignore-error user-error (khoj-ls-links--target))))
          (khoj-ls-links--go locations)
          t)))))

(declare-function markdown-follow-thing-at-point "markdown-mode" (arg))

(defvar browse-url-handlers)

;;;###autoload
(defun khoj-ls-markdown-follow (arg)
  "Follow the link at point by the server, or else as Markdown mode does with ARG."
  (interactive "P")
  (let ((locations (and (khoj-ls-local-file)
                        (khoj-ls-connection-quiet-p)
                        (ignore-error user-error (khoj-ls-links--target)))))
    (if locations
        (khoj-ls-links--go locations)
      (let ((browse-url-handlers (cons '("\\`file://" . khoj-ls-open-url)
                                       (bound-and-true-p browse-url-handlers))))
        (markdown-follow-thing-at-point arg)))))

;;;; Xref

(defun khoj-ls-xref-backend ()
  "For `xref-backend-functions', where no language client serves the note."
  (and (khoj-ls-local-file)
       (not (and (fboundp 'eglot-managed-p) (eglot-managed-p)))
       (not (bound-and-true-p lsp-mode))
       'khoj-ls))

(declare-function eglot-managed-p "eglot")

(cl-defmethod xref-backend-identifier-at-point ((_backend (eql khoj-ls)))
  "What is at point; the server is asked by place."
  (propertize (or (thing-at-point 'symbol t) "here") 'khoj-ls-here t))

(cl-defmethod xref-backend-identifier-completion-table ((_backend (eql khoj-ls)))
  "None: whatever is typed is searched for."
  nil)

(cl-defmethod xref-backend-definitions ((_backend (eql khoj-ls)) identifier)
  "Where the link at point leads, or what is found for IDENTIFIER."
  (if (get-text-property 0 'khoj-ls-here identifier)
      (khoj-ls-links--location-items (khoj-ls-links--target))
    (xref-backend-apropos 'khoj-ls identifier)))

(cl-defmethod xref-backend-references ((_backend (eql khoj-ls)) _identifier)
  "What links to the thing at point."
  (khoj-ls-links--location-items
   (khoj-ls-links--locations :textDocument/references
                             '(:context (:includeDeclaration :json-false)))))

(cl-defmethod xref-backend-apropos ((_backend (eql khoj-ls)) pattern)
  "What is found for PATTERN."
  (khoj-ls-scope-prepare)
  (mapcar (lambda (hit)
            (khoj-ls-links--xref (concat (khoj-ls-heading-path hit) ": "
                                         (plist-get hit :snippet))
                                 (plist-get hit :uri)
                                 (plist-get (plist-get hit :range) :start)))
          (append (plist-get (khoj-ls-request :khoj/search
                                              (khoj-ls-search-parameters
                                               pattern khoj-ls-search-limit nil nil))
                             :hits)
                  nil)))

;;;; Making links

(defun khoj-ls-links--place ()
  "The region as LSP parameters, or point where none is active."
  (if (use-region-p)
      `(:range ,(khoj-ls-range (region-beginning) (region-end)))
    `(:position ,(khoj-ls-position))))

(defun khoj-ls-links--line (item width)
  "The suggestion or hit ITEM as a line of WIDTH."
  (if (plist-member item :signals)
      (concat (khoj-ls-search-score item) " "
              (propertize (plist-get item :title) 'face 'khoj-ls-title)
              (let ((words (khoj-ls-links--words item)))
                (if words (propertize (format "  “%s”" words) 'face 'khoj-ls-match) ""))
              (propertize (concat "  " (khoj-ls-path-of-hit item)) 'face 'khoj-ls-path)
              (if (eq t (plist-get item :linked))
                  (propertize "  linked already" 'face 'khoj-ls-snippet)
                ""))
    (khoj-ls-search-line item width)))

(defun khoj-ls-links--words (suggestion)
  "The words in the note that SUGGESTION would make a link of, or nil."
  (let ((words (plist-get suggestion :words))
        (window (minibuffer-selected-window)))
    (when (and (= (length words) 2) window)
      (with-current-buffer (window-buffer window)
        (save-restriction
          (widen)
          (buffer-substring-no-properties (khoj-ls-point (aref words 0))
                                          (khoj-ls-point (aref words 1))))))))

(defun khoj-ls-links--ask (document place)
  "What `khoj-ls-live-read' asks for PLACE of DOCUMENT.
Suggestions while nothing is typed, then hits."
  (lambda (input show)
    (let ((failed (lambda (problem) (funcall show nil (khoj-ls-error-text problem)))))
      (if (string-blank-p input)
          (khoj-ls-request-async
           :khoj/suggestLinks
           `(:textDocument ,document ,@place :limit ,khoj-ls-search-limit)
           (lambda (result)
             (let ((found (append (plist-get result :suggestions) nil)))
               (funcall show found (unless found "no suggestions: type a title or what it is about"))))
           failed)
        (khoj-ls-request-async
         :khoj/search (khoj-ls-search-parameters input khoj-ls-search-limit nil t)
         (lambda (result)
           (funcall show (append (plist-get result :hits) nil) (khoj-ls-search-note result)))
         failed)))))

;;;###autoload
(defun khoj-ls-insert-link ()
  "Insert a link to a note, or make one of the region.
Suggested are notes that belong linked here; type a title, or what a note
is about, to find others.  \\<khoj-ls-live-map>\\[khoj-ls-live-choose] links to the note,
\\[khoj-ls-live-choose-other-window] to the heading that was found in it."
  (interactive "*")
  (khoj-ls-note-file)
  (khoj-ls-scope-prepare)
  (let* ((document (khoj-ls-document))
         (place (khoj-ls-links--place))
         (preview (and khoj-ls-search-preview (khoj-ls-preview-begin (selected-window)))))
    (pcase-let ((`(,item ,how)
                 (unwind-protect
                     (khoj-ls-live-read "Link to (M-RET: its heading): "
                                        (khoj-ls-links--ask document place)
                                        :line #'khoj-ls-links--line
                                        :empty t
                                        :history 'khoj-ls-search-history)
                   (when preview (khoj-ls-preview-end preview)))))
      (when item
        (khoj-ls-links--insert item place how)))))

(defun khoj-ls-links--insert (item place how)
  "Link to the note of ITEM at PLACE; to the heading of the hit if HOW says so.
The words that a suggestion names become the link, if no others are chosen."
  (let* ((words (plist-get item :words))
         (heading (and how (car (last (append (plist-get item :outline) nil)))))
         (place (if (and (= (length words) 2) (not (plist-member place :range)))
                    `(:range (:start ,(aref words 0) :end ,(aref words 1)))
                  place))
         (ends (khoj-ls-edit-note
                :khoj/insertLink
                `(:textDocument ,(khoj-ls-document) :target ,(plist-get item :uri) ,@place
                  ,@(and heading (not (equal heading (plist-get item :title)))
                         `(:heading ,heading))))))
    (deactivate-mark)
    (when-let ((end (cdr (assq (current-buffer) ends))))
      (goto-char end))))

(defun khoj-ls-insert-link-to (hit)
  "Insert a link to the note of HIT at point, or make one of the region."
  (barf-if-buffer-read-only)
  (khoj-ls-links--insert hit (khoj-ls-links--place) nil))

(provide 'khoj-ls-links)
;;; khoj-ls-links.el ends here
