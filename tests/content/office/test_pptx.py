"""What is said on a slide, beside it, and what is not."""

from __future__ import annotations

from office_files import MC, A, P, R, packed, relationships

from khoj_ls.content.pptx import PptxProcessor

SPACE = f'xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{R}" xmlns:mc="{MC}" xmlns:c="urn:chart" xmlns:dgm="urn:diagram"'


def shape(words: str, placeholder: str = "", depth: str = "") -> str:
    """A shape with a paragraph."""
    about = f'<p:ph type="{placeholder}"/>' if placeholder else ""
    properties = f'<a:pPr lvl="{depth}"/>' if depth else ""
    text = f"<p:txBody><a:p>{properties}<a:r><a:t>{words}</a:t></a:r></a:p></p:txBody>"
    return f"<p:sp><p:nvSpPr><p:cNvPr id='1' name='x'/><p:nvPr>{about}</p:nvPr></p:nvSpPr>{text}</p:sp>"


def slide(shapes: str, attributes: str = "") -> str:
    return f"<p:sld {SPACE} {attributes}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"


def deck(*slides: str, **parts: str) -> bytes:
    """Slides in order; `parts` belong to the first, by their kind."""
    ids = "".join(f'<p:sldId id="{256 + at}" r:id="slide{at}"/>' for at in range(len(slides)))
    return packed(
        {
            "_rels/.rels": relationships(officeDocument="ppt/presentation.xml"),
            "ppt/presentation.xml": f"<p:presentation {SPACE}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": relationships(
                commentAuthors="authors.xml", **{f"slide{at}": f"slides/{at}.xml" for at in range(len(slides))}
            ),
            "ppt/authors.xml": f'<p:cmAuthorLst {SPACE}><p:cmAuthor id="4" name="Ada"/></p:cmAuthorLst>',
            **{f"ppt/slides/{at}.xml": each for at, each in enumerate(slides) if each},
            "ppt/slides/_rels/0.xml.rels": relationships(**{kind: f"../{kind}.xml" for kind in parts}),
            **{f"ppt/{kind}.xml": each for kind, each in parts.items()},
        }
    )


def said(*slides: str, **parts: str) -> list[tuple[str, str]]:
    entries = PptxProcessor().parse(deck(*slides, **parts), "a.pptx").entries
    return [(entry.heading, entry.text.strip("\n")) for entry in entries]


def test_shapes_in_order_those_in_groups_as_well():
    group = f"<p:grpSp>{shape('in a group')}<p:grpSp>{shape('deeper', depth='2')}</p:grpSp></p:grpSp>"
    versions = f"<mc:Choice>{shape('new')}</mc:Choice><mc:Fallback>{shape('old')}</mc:Fallback>"
    either = f"<mc:AlternateContent>{versions}</mc:AlternateContent>"
    drawn = shape("first") + shape("Top", "ctrTitle") + group + either + shape("7", "sldNum") + shape("foot", "ftr")
    assert said(slide(drawn)) == [("Top", "first\n\nin a group\n\n    deeper\n\nnew")]


def test_hidden_slides_say_so_and_slides_without_a_title_have_their_number():
    assert said(slide(shape("a")), slide(shape("b", "title"), 'show="0"')) == [("Slide 1", "a"), ("b (hidden slide)", "")]


def test_described_pictures():
    def picture(told: str) -> str:
        return f'<p:pic><p:nvPicPr><p:cNvPr id="1" name="x" descr="{told}"/><p:nvPr/></p:nvPicPr></p:pic>'

    assert said(slide(picture("A red barn") + picture("image1.png"))) == [("Slide 1", "[A red barn]")]


def test_charts_and_diagrams():
    frames = "".join(
        f"<p:graphicFrame><a:graphic><a:graphicData>{each}</a:graphicData></a:graphic></p:graphicFrame>"
        for each in ('<c:chart r:id="chart"/>', '<dgm:relIds r:dm="diagramData"/>')
    )
    points = "<c:cat><c:v>May</c:v><c:v>June</c:v></c:cat><c:val><c:v>3</c:v><c:v>9</c:v></c:val>"
    title = "<c:title><a:p><a:r><a:t>Harvest</a:t></a:r></a:p></c:title>"
    chart = (
        f"<c:chartSpace {SPACE}><c:chart>{title}<c:ser><c:tx><c:v>Honey</c:v></c:tx>{points}</c:ser></c:chart></c:chartSpace>"
    )
    diagram = f"<dgm:dataModel {SPACE}><dgm:pt><a:p><a:r><a:t>Plan</a:t></a:r></a:p></dgm:pt><dgm:pt/></dgm:dataModel>"
    assert said(slide(frames), chart=chart, diagramData=diagram) == [("Slide 1", "Harvest\nHoney: May 3, June 9\n\n- Plan")]


def test_notes_and_comments():
    notes = f"<p:notes {SPACE}><p:cSld><p:spTree>{shape('slowly', 'body')}{shape('3', 'sldNum')}</p:spTree></p:cSld></p:notes>"
    comments = f'<p:cmLst {SPACE}><p:cm authorId="4"><p:text>sure?</p:text></p:cm><p:cm><p:text>yes</p:text></p:cm></p:cmLst>'
    shown = "x\n\nNotes: slowly\n\nComment by Ada: sure?\n\nComment: yes"
    assert said(slide(shape("x")), notesSlide=notes, comments=comments) == [("Slide 1", shown)]


def test_a_damaged_slide_costs_only_itself():
    found = PptxProcessor().parse(deck("", slide(shape("x")), "<broken"), "a.pptx")
    assert [(entry.heading, entry.place.page) for entry in found.entries] == [("Slide 2", 2)]
    assert [problem.message for problem in found.problems] == ["2 of 3 slides are damaged and left out, the first is slide 1"]
