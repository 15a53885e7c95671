"""Office files made by hand: only what a test is about stands in them."""

from __future__ import annotations

import io
import zipfile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
WP = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
O = "urn:oasis:names:tc:opendocument:xmlns"  # noqa: E741 - as the others: a prefix of the format


def packed(members: dict[str, str | bytes]) -> bytes:
    """A ZIP file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def relationships(**targets: str) -> str:
    """A part that says what others a part refers to: ids are kinds, with a number where there are several."""
    said = "".join(
        f'<Relationship Id="{key}" Type="{R}/{key.rstrip("0123456789")}" Target="{to}"/>' for key, to in targets.items()
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{said}</Relationships>'


def docx(body: str, *, relate: dict[str, str] | None = None, **parts: str) -> bytes:
    """A document with this body. `parts`: the content of further ones by their kind, `styles='<w:style .../>'`."""
    kinds = {kind: f"{kind}.xml" for kind in parts} | (relate or {})
    space = f'xmlns:w="{W}" xmlns:mc="{MC}" xmlns:m="{M}" xmlns:wp="{WP}" xmlns:r="{R}"'
    return packed(
        {
            "_rels/.rels": relationships(officeDocument="word/document.xml"),
            "word/document.xml": f"<w:document {space}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relationships(**kinds),
            **{f"word/{kind}.xml": f"<w:{kind} {space}>{content}</w:{kind}>" for kind, content in parts.items()},
        }
    )


def paragraph(text: str, style: str = "", inner: str = "") -> str:
    """A paragraph of a document."""
    properties = (f'<w:pStyle w:val="{style}"/>' if style else "") + inner
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def xlsx(rows: str, *, styles: str = "", strings: str = "", settings: str = "", sheets: str = "") -> bytes:
    """A workbook with one sheet of these rows."""
    names = sheets or '<sheet name="One" sheetId="1" r:id="worksheet1"/>'
    return packed(
        {
            "_rels/.rels": relationships(officeDocument="xl/workbook.xml"),
            "xl/workbook.xml": f'<workbook xmlns="{S}" xmlns:r="{R}">{settings}<sheets>{names}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relationships(
                worksheet1="worksheets/1.xml",
                worksheet2="worksheets/2.xml",
                styles="styles.xml",
                sharedStrings="/xl/strings.xml",
            ),
            "xl/styles.xml": f'<styleSheet xmlns="{S}">{styles}</styleSheet>',
            "xl/strings.xml": f'<sst xmlns="{S}">{strings}</sst>',
            "xl/worksheets/1.xml": f'<worksheet xmlns="{S}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


def odf(content: str, styles: str = "", **members: str) -> bytes:
    """An OpenDocument file whose body holds `content`."""
    names = ("office", "text", "table", "style", "draw", "presentation", "svg:svg-compatible")
    space = " ".join(f'xmlns:{each.partition(":")[0]}="{O}:{each.rpartition(":")[2]}:1.0"' for each in names)
    space += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    written = f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>{content}</office:body>"
    return packed({"content.xml": f"<office:document-content {space}>{written}</office:document-content>", **members})
