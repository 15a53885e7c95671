"""Function words, by language: they say how a question is put, not what it is about.

Left out of the word query, they lift BM25 on questions a good deal and keep it fast. A language's list is used only when the
query shows that language, so that `war` is dropped from a German sentence and kept in `war and peace`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

_LISTS = (
    (
        "en",
        "a about above after again against all also am an and any are aren as at be because been before being below "
        "between both but by can cannot could couldn did didn do does doesn doing don down during each few for from "
        "further had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it "
        "its itself just me might more most must my myself no nor not now of off on once only or other our ours ourselves "
        "out over own same shall she should shouldn so some such than that the their theirs them themselves then there "
        "these they this those through to too under until up upon very was wasn we were weren what when where which while "
        "who whom whose why will with won would wouldn you your yours yourself yourselves",
    ),
    (
        "de",
        "aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf aus bei "
        "beim bin bis bist da damit dann das dass dein deine deinem deinen deiner dem den denn der des dich die dies "
        "diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines einige er es etwas "
        "euch euer für gegen habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im "
        "in ins ist ja jede jedem jeden jeder jedes jetzt kann kannst kein keine keinem keinen keiner können könnte man "
        "mein meine meinem meinen meiner mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne sehr sein "
        "seine seinem seinen seiner selbst sich sie sind so soll sollen sollte sondern über um und uns unser unsere unter "
        "vom von vor war waren warum was weil welche welcher welches wenn wer werde werden wie wieder will wir wird wirst "
        "wo wurde wurden zu zum zur zwar zwischen",
    ),
    (
        "fr",
        "à afin ai ainsi alors après as au aucun aussi autre autres aux avait avant avec avoir bien c ça car ce ceci cela "
        "celle celles celui ces cet cette ceux chaque chez comme comment d dans de depuis des donc dont du elle elles en "
        "encore entre est et étaient était être eu eux faire fait faut il ils j je l la là le les leur leurs lors lui m "
        "ma mais me même mes moi mon n ne ni nos notre nous on ont or ou où par parce pas pendant peu peut plus pour "
        "pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si soit son sont sous sur t ta te tes "
        "toi ton tous tout toute toutes très tu un une vers vos votre vous y",
    ),
    (
        "es",
        "a al algo algún alguna algunas alguno algunos ante antes aquel aquella así aún aunque bajo bien cada como cómo "
        "con contra cual cuál cuales cuando cuándo cuanto de del desde donde dónde dos durante e el él ella ellas ellos "
        "en entre era eran es esa esas ese eso esos esta está están estar estas este esto estos fue fueron ha había han "
        "hasta hay he la las le les lo los más me mi mis mucho muy nada ni no nos nosotros nuestra nuestro o os otra "
        "otras otro otros para pero poco por porque puede que qué quien quién quienes se sea según ser si sí sin sobre "
        "son su sus también tan tanto te tiene todo todos tu tus un una unas uno unos y ya yo",
    ),
    (
        "it",
        "a abbia ad agli ai al alla alle allo anche ancora avere aveva c che chi ci ciò come con così cosa cui da dagli "
        "dai dal dalla dalle dallo de degli dei del della delle dello dentro di dopo dove e è ed era erano essere fa fare "
        "fra fu gli ha hai hanno ho i il in io l la le lei li lo loro lui ma me mi mia mie miei mio molto ne né negli nei "
        "nel nella nelle nello no noi non nostra nostro o ogni per perché però più poi quale quali quando quanto quella "
        "quelle quelli quello questa queste questi questo qui se sei senza si sia sono sopra su sua sue sugli sui sul "
        "sulla sulle sullo suo suoi tra tu tua tuo tutti tutto un una uno vi voi",
    ),
    (
        "pt",
        "a à ao aos aquela aquele aquilo as às até cada com como da das de dela dele deles depois do dos e é ela elas ele "
        "eles em entre era eram essa essas esse esses esta está estão estas este estes eu foi foram há isso isto já lhe "
        "lhes mais mas me mesmo meu meus minha muito na não nas nem no nos nós nossa nosso num numa o onde os ou para "
        "pela pelas pelo pelos por porque pode pois qual quais quando quanto que quê quem são se seja sem ser seu seus si "
        "só sobre sua suas também te tem tém ter teu tinha toda todas todo todos tu tua tudo um uma umas uns você vocês",
    ),
    (
        "nl",
        "aan al alle alles als ander andere ben bij daar dan dat de der deze die dit doch doen door dus een en er ge geen "
        "haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je jij jou jouw kan kon kunnen maar "
        "me meer men met mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over te tegen toch toen tot "
        "u uit uw van veel voor want waren was wat we wel werd wezen wie wij wil worden wordt zal ze zei zelf zich zij "
        "zijn zo zonder zou",
    ),
    (
        "sv",
        "alla allt än är att av blev bli blir de dem den denna deras dess dessa det detta dig din dina ditt du där då "
        "efter ej eller en er ett från för ha hade han hans har hennes hon honom hur här i icke ingen inom inte jag ju "
        "kan kunde man med mellan men mig min mina mitt mot mycket ni nu när någon något några och om oss på samma sedan "
        "sig sin sina själv skulle som så till under upp ut utan vad var varför vara vart vem vi vid vilka vilken vilket "
        "vår våra",
    ),
    (
        "da",
        "af alle alt at blev blive bliver da de dem den denne der deres det dette dig din dine disse dit du efter eller "
        "en end er et for fra få ham han hans har havde hende hendes her hos hun hvad hvilken hvis hvor hvordan hvorfor i "
        "ikke ind jeg jer jo kan kunne man med meget men mig min mine mit mod ned noget nogle nu når og også om op os "
        "over på selv sig sin sine sit skal skulle som sådan til ud under var vi vil ville vor være været",
    ),
    (
        "nb",
        "alle at av både begge ble bli blir da de deg dem den denne der dere deres det dette di din disse ditt du då "
        "eller en enn er et etter for fordi fra før ha hadde han hans har hennes her hun hva hvem hvilken hvis hvor "
        "hvordan hvorfor i ikke ingen inn jeg kan kunne man mange med meg men mellom min mitt mot mye nå når noe noen og "
        "også om opp oss over på så sånn seg selv sin sitt skal skulle slik som til under ut vår vært var ved vi vil "
        "ville være",
    ),
    (
        "pl",
        "a aby ale albo być był była było były by choć co czy czyli dla do gdy gdyż gdzie go i ich ile im inny ja jak "
        "jako je jego jej jest jeszcze jeśli już każdy kiedy kto która które którego której który którzy ma mają mi mnie "
        "może można mu my na nad nam nas nawet nic nich nie nią niej niż no o od on ona one oni ono oraz po pod przed "
        "przez przy się są skąd ta tak także tam te tego tej ten teraz to tu tych tylko tym u w wam was we więc wszystko "
        "wy z za ze że żeby",
    ),
    (
        "ru",
        "а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его ее если "
        "есть еще же за здесь и из или им их к как какой ко когда кто ли либо мне может можно мой мы на над надо нас наш "
        "не него нее нет ни них но ну о об однако он она они оно от очень по под потому почему при про с сам свой себя со "
        "так также такой там те тем то того тоже той только том тот ты у уже хотя чего чей чем что чтобы чье эта эти это "
        "этот я",
    ),
)

STOP_WORDS = MappingProxyType({language: frozenset(text.split()) for language, text in _LISTS})
"""Function words by ISO 639-1 code, lower case."""

_NEEDED = 2  # function words that show a language other than English: one alone is too often a word of another tongue


def content_words(words: Iterable[str]) -> list[str]:
    """`words` (lower case) without the function words of the language they are in; all of them when nothing would be left."""
    given = list(words)
    distinct = set(given)
    shown = {language: len(distinct & stop) for language, stop in STOP_WORDS.items()}
    language = max(shown, key=lambda code: (shown[code], code == "en"))
    if shown[language] < _NEEDED:
        language = "en"
    return [word for word in given if word not in STOP_WORDS[language]] or given
