"""Closed classes of English words that decide what is asked: function words, negations, opposites, families whose
members exclude one another, and words that ask the same. No names and nothing of any one field."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _entries(text: str) -> list[str]:
    """Return the entries of a table: a line each, and the indented ones that continue it."""
    return text.replace("\n  ", " ").strip().splitlines()


# Words that only English has, those that other languages have too, and those of others that tell them from English.
ENGLISH = _set("""
    the are what how my which who when where why does did with and this that can have has it you your from by
    not to be were could there their would should
""")
MAYBE_ENGLISH = _set("""
    a an is in of for on i do was or at as
""")
FOREIGN = _set("""
    der die das den dem des ein eine einen einem einer eines und ist wie wer wo wann warum welche welcher
    welches nicht el los las un una unos unas que qué cual cuál como cómo quien quién cuando cuándo donde dónde
    por del en y es le les du une et est quel quelle quels quelles pourquoi comment combien dans il lo gli che
    chi quale quanto quando dove perché non della o os as um uma qual onde quantos em de het een wat waar hoe
    welke van
""")
FUNCTION_WORDS = _set("""
    many much
    a an the this that these those there here it its it's i me my mine myself we us our ours you your yours he
    him his she her hers they them their theirs one ones someone something anyone anything am is are was were be
    been being do does did doing done have has had having can could will would shall should may might must ought
    get gets got getting let lets of to in on at by for from with as into onto upon about per via through within
    among amongst along across toward towards between and or but so if then than though although because since
    while that's also just really actually still quite very too such own same both each some any who whom whose
    what which when where why how whether please tell know explain say hello hi hey thanks thank ok okay yes
    well like want wants wanted need needs wondering help possible able way ways exactly s t d m re ve ll use
    uses used using utilize utilized utilizing utilizes employ employed make makes made making
""")
# A text that begins with one asks, question mark or not.
AUXILIARIES = _set("is are was were do does did can could will would should has have may")
# Words whose place says nothing.
UNMOVED = _set("""
    and or the a an is are was were do does did
""")
SUPERLATIVES = _set("""
    most least best worst first last more less fewer
""")
# In front of a word they make another of it: "invited" and "uninvited".
PREFIXES = _set("""
    un in im ir il dis non non- mis de anti sub over under pre re co micro inter post
""")
_NEGATIONS = """
not: not never no none nobody nothing nowhere neither nor cannot cant dont doesnt didnt isnt arent wasnt werent wont
  wouldnt couldnt shouldnt hasnt havent hadnt unable ain't
without: without lacking
except: except excluding besides unless otherwise
only: only solely exclusively alone
another: another other others else different
hardly: hardly barely scarcely rarely seldom
"""
# The words on the two sides of a slash exclude one another.
_OPPOSITES = """
before earlier prior previous preceding predate ago / after later following next subsequent upcoming
first initial initially original earliest begin beginning start starting began begun started / last final finally
  latest end ending ended finish finished stop stopped stopping
in / out
within / after
i me my we us our / they them their he she his her
old older oldest ancient / new newer newest recent modern
current currently now present / old original originally former formerly past future
minimum min least lowest smallest fewest minimal shortest / maximum max most highest largest greatest biggest
  maximal longest
less lesser fewer lower smaller under below beneath / more greater higher larger bigger over above exceed
increase increased increasing raise raised grow grew rise rising rose gain gained expand / decrease decreased
  decreasing reduce reduced reducing shrink fall falling fell decline declining loss lose losing lost drop
big large high great tall / small little low tiny short
long / short brief
many much / few
open opened opening / close closed closing shut
enable enabled enabling activate activated activating allow allowed permit permitted on / disable disabled disabling
  deactivate deactivated deactivating block blocked forbid forbidden prohibit prohibited ban banned prevent
  prevented off
add added adding insert include including included / remove removed removing delete deleted deleting exclude
  excluded
create created build built construct / destroy destroyed demolish demolished
install installed installing installation / uninstall uninstalled uninstalling
import imported importing / export exported exporting
upload uploaded uploading / download downloaded downloading
send sent sending sender / receive received receiving receiver recipient
buy bought buying purchase purchased / sell sold selling sale
borrow borrowed borrowing / lend lent lending
deposit deposited / withdraw withdrew withdrawal withdrawn withdrawing
capture captured / surrender surrendered
support supported supporting help helped helping / oppose opposed opposing reject rejected rejecting threaten
  threatened threatening sabotage sabotaged
establish established establishing create created creating / reject rejected abolish abolished dissolve dissolved
strength strengths / weakness weaknesses
give gave given giving / take took taken taking
win won winning winner victory / defeat defeated lose lost losing loser
attack attacked attacking / peace
attack attacked attacking / defend defended defending
accept accepted accepting approve approved / reject rejected rejecting refuse refused deny denied decline declined
succeed success successful succeeded / fail failed failure failing unsuccessful
live lived alive born birth / die died dead death
join joined enter entered entering arrive arrived arrival come came / leave left exit exited leaving depart departed
  departure go went
push pushed / pull pulled
up upward ascending upgrade upgraded / down downward descending downgrade downgraded
inside internal internally inner indoor inward / outside external externally outer outdoor outward
left leftmost / right rightmost
top upper / bottom lower
front / back rear
north northern / south southern
east eastern / west western
fast faster quick quickly quicker fastest / slow slower slowly slowest
hot warm heat heated hotter / cold cool cooled colder
light lighter / dark heavy heavier
easy easier simple simpler / hard difficult harder complex
strong stronger / weak weaker
good better best / bad worse worst poor
ally allies friend friends / enemy enemies rival rivals
kill killed / save saved rescue rescued relieve relieved
main major / minor additional secondary
deadly severe / mild harmless
victorious / defeated
help helping / sabotage sabotaging harm hurt
leader leaders / citizen citizens follower followers
same identical / different
known / unknown
positive / negative
advantage advantages benefit benefits pros / disadvantage disadvantages drawback drawbacks cons risk risks
legal lawful / illegal unlawful
true / false
public / private
local / remote global
input / output
read reading / write writing written wrote
encrypt encrypted encryption / decrypt decrypted decryption
encode encoded encoding encoder / decode decoded decoding decoder
lock locked / unlock unlocked
connect connected / disconnect disconnected
login signin / logout signout
show showing visible / hide hiding hidden invisible
remember / forget
love like / hate dislike
agree agreement agreed / disagree disagreement disagreed
war / peace
rich / poor
male men man boy boys husband father son brother king he / female women woman girl girls wife mother daughter sister
  queen she
parent parents / child children
teacher teachers / student students pupil pupils
employer employers / employee employees
landlord landlords / tenant tenants
seller vendor / buyer customer
adult adults / minor minors child children
sunrise morning / sunset evening night
question / answer
even / odd
horizontal horizontally / vertical vertically
odd / even
single / multiple double
full / empty partial
ahead / behind
debit / credit
profit / loss
revenue income / expense expenses cost costs
assets / liabilities
gross / net
supply / demand
fixed / variable
static / dynamic
synchronous sync / asynchronous async
client / server
safe / dangerous unsafe
wet / dry
early / late
wide / narrow
thick / thin
host / guest
pay paid paying / receive received
freeze frozen / unfreeze thaw
pass passed / fail failed
virtual / physical
"""
# Two questions must name the same members of each family; the words between commas are one member.
_FAMILIES = """
january jan, february feb, march, april apr, june jun, july jul, august aug, september sept, october oct, november
  nov, december dec
monday, tuesday, wednesday, thursday, friday, saturday, sunday
today, tomorrow, yesterday, tonight
spring, summer, autumn, winter
millisecond milliseconds ms, second seconds sec, minute minutes, hour hours hourly, day days daily, week weeks
  weekly, month months monthly, quarter quarters quarterly, year years yearly annual annually, decade decades,
  century centuries
kg kilogram kilograms kilo kilos, g gram grams, lb lbs pound pounds, ounce ounces oz, ton tons tonnes, mile miles,
  km kilometer kilometers kilometre kilometres, meter meters metre metres, cm centimeter centimeters, inch inches,
  foot feet, liter liters litre litres, gallon gallons, kb, mb, gb, tb, celsius, fahrenheit, % percent percentage,
  mg, ml
$ dollar dollars usd, € euro euros eur, £ gbp, ¥ yen jpy, yuan cny
million, billion, trillion, thousand, hundred
once, twice, thrice
third, fourth, fifth, sixth, seventh, eighth, ninth, tenth
average averaged, median, sum total, variance
north northern, south southern, east eastern, west western
primary, secondary, tertiary, supplementary
mother mom, father dad, sister, brother, son, daughter, wife, husband, uncle, aunt
"""
# The words on a line ask the same.
_SYNONYMS = """
create created creating build built construct constructed generate generated generating produce produced craft
big large huge
small little tiny
buy purchase purchased bought
happen happened occur occurred
begin began start started commence
get obtain acquire retrieve fetch
show display
find locate discover
fix repair solve resolve
fast fastest quick quickly quickest rapid rapidly swift
purpose aim goal objective
give provide provided furnish supply offer
allow enable permit let
need require required necessary
choose pick select
change modify alter
delete remove erase
guide tutorial instruction guidance
cost price fee
phone telephone
kind type sort
method function technique
error problem issue trouble
reason cause
important significant crucial
smart intelligent
doctor physician
picture image photo
explain describe
difference distinction
earn make
quit stop
ensure guarantee
transform convert turn
specify indicate state mention declare
number quantity count
typical usual common
exist available present
divide split
various several multiple many
part section component
include comprise encompass contain
learn study
often frequently
increase improve boost
live reside
car automobile
good great
plenty many
movie film
"""
_NUMBERS = "two three four five six seven eight nine ten eleven twelve"


def _sides() -> dict[str, frozenset[tuple[int, int]]]:
    found: dict[str, set[tuple[int, int]]] = {}
    for axis, entry in enumerate(_entries(_OPPOSITES)):
        for side, words in enumerate(entry.split(" / ")):
            for word in words.split():
                found.setdefault(word, set()).add((axis, side))
    return {word: frozenset(sides) for word, sides in found.items()}


def _negations() -> dict[str, str]:
    named = (entry.split(": ") for entry in _entries(_NEGATIONS))
    return {word: kind for kind, words in named for word in words.split()}


def _members() -> dict[str, str]:
    members = [member.split() for entry in _entries(_FAMILIES) for member in entry.split(",")]
    return {word: words[0] for words in members for word in words}


def _synonyms() -> dict[str, str]:
    return {word: entry.split()[0] for entry in reversed(_entries(_SYNONYMS)) for word in entry.split()}


SIDES = _sides()  # of each word: the oppositions it belongs to, and on which side
NEGATIONS = _negations()  # of each word: what it does to a question
MEMBERS = _members()  # of each word: the member of a family that it names
SYNONYMS = _synonyms()  # of each word: the one that stands for it
NUMBERS = {word: str(number) for number, word in enumerate(_NUMBERS.split(), 2)}
