"""The programming languages that are read: their files, their grammars for tree-sitter, and which nodes define something."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Language:
    """A language and its grammar."""

    name: str
    module: str
    """That holds the grammar."""
    extensions: tuple[str, ...]
    defines: frozenset[str]
    """Types of nodes that become entries."""
    holds: frozenset[str] = frozenset()
    """Those of them whose inside defines more: classes, namespaces."""
    function: str = "language"
    """That returns the grammar."""


_JS = frozenset(
    {"function_declaration", "generator_function_declaration", "class_declaration", "method_definition", "variable_declarator"}
)
_TS = _JS | frozenset(
    {"interface_declaration", "type_alias_declaration", "enum_declaration", "abstract_class_declaration", "internal_module"}
)
_TS_HOLDS = frozenset({"class_declaration", "abstract_class_declaration", "internal_module"})
_C = frozenset({"function_definition", "struct_specifier", "union_specifier", "enum_specifier", "type_definition"})
_CPP = _C | frozenset({"class_specifier", "namespace_definition"})
_JAVA = frozenset(
    {"class_declaration", "interface_declaration", "enum_declaration", "record_declaration", "annotation_type_declaration"}
)
_SHARP = frozenset(
    {"class_declaration", "interface_declaration", "struct_declaration", "record_declaration", "enum_declaration",
     "namespace_declaration"}
)  # fmt: skip
_PHP = frozenset(
    {"class_declaration", "interface_declaration", "trait_declaration", "enum_declaration", "namespace_definition"}
)
_RUST = frozenset({"impl_item", "trait_item", "mod_item"})
_RUBY = frozenset({"class", "module"})

LANGUAGES = (
    Language("Bash", "tree_sitter_bash", (".sh", ".bash"), frozenset({"function_definition"})),
    Language("C", "tree_sitter_c", (".c", ".h"), _C),
    Language(
        "C++", "tree_sitter_cpp", (".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), _CPP,
        frozenset({"class_specifier", "struct_specifier", "namespace_definition"}),
    ),
    Language("C#", "tree_sitter_c_sharp", (".cs",), _SHARP | {"method_declaration", "constructor_declaration"}, _SHARP),
    Language("Go", "tree_sitter_go", (".go",), frozenset({"function_declaration", "method_declaration", "type_spec"})),
    Language("Java", "tree_sitter_java", (".java",), _JAVA | {"method_declaration", "constructor_declaration"}, _JAVA),
    Language("JavaScript", "tree_sitter_javascript", (".js", ".mjs", ".cjs", ".jsx"), _JS, frozenset({"class_declaration"})),
    Language("Lua", "tree_sitter_lua", (".lua",), frozenset({"function_declaration"})),
    Language("PHP", "tree_sitter_php", (".php",), _PHP | {"function_definition", "method_declaration"}, _PHP, "language_php"),
    Language(
        "Python", "tree_sitter_python", (".py", ".pyi"), frozenset({"function_definition", "class_definition"}),
        frozenset({"class_definition"}),
    ),
    Language("Ruby", "tree_sitter_ruby", (".rb",), _RUBY | {"method", "singleton_method"}, _RUBY),
    Language(
        "Rust", "tree_sitter_rust", (".rs",),
        _RUST | {"function_item", "function_signature_item", "struct_item", "enum_item", "macro_definition", "type_item"},
        _RUST,
    ),
    Language("TypeScript", "tree_sitter_typescript", (".ts", ".mts", ".cts"), _TS, _TS_HOLDS, "language_typescript"),
    Language("TSX", "tree_sitter_typescript", (".tsx",), _TS, _TS_HOLDS, "language_tsx"),
)  # fmt: skip

BY_EXTENSION = MappingProxyType({extension: language for language in LANGUAGES for extension in language.extensions})

THROUGH = frozenset(
    {"module", "program", "source_file", "translation_unit", "compilation_unit", "chunk", "export_statement",
     "decorated_definition", "template_declaration", "class_body", "block", "declaration_list", "field_declaration_list",
     "preproc_ifdef", "preproc_if",
     "preproc_else", "preproc_elif", "linkage_specification", "interface_body", "enum_body", "enum_body_declarations",
     "if_statement", "else_clause", "elif_clause", "try_statement", "except_clause", "body_statement", "ambient_declaration",
     "lexical_declaration", "variable_declaration", "expression_statement", "statement_block", "type_declaration",
     "file_scoped_namespace_declaration", "declaration", "field_declaration", "enum_declaration_list"}
)  # fmt: skip
"""Types of nodes, in any of the languages, that are looked into for definitions: what wraps them, and what they stand in."""
WRAPPERS = frozenset(
    {"export_statement", "decorated_definition", "template_declaration", "lexical_declaration", "variable_declaration",
     "type_declaration", "declaration", "field_declaration"}
)  # fmt: skip
"""Those of them that belong to the definition in them: decorators, templates, `export`."""
FUNCTIONS = frozenset({"arrow_function", "function_expression", "generator_function", "function", "class"})
"""What makes a `const` of JavaScript a definition."""
COMMENTS = ("comment", "line_comment", "block_comment")
