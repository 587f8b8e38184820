"""Synthetic names, addresses and telephone numbers, some of which are hard for careless readers of CSV."""

import unicodedata
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def split_words(line: str) -> list[str]:
    return line.split()


FIRST = split_words(
    "Ada Adrian Aino Alma Amira Anders Anika Arlo Asa Astrid Aurel Bea Benno Bo Björn Brigid Calla Caspar Cedric "
    "Chidi Ciara Clement Corin Dalia Damaris Davi Delia Dorian Eamon Edda Effie Elio Elodie Émile Enzo Esme Ezra "
    "Fabia Femi Finn Flora Freya Gideon Ginevra Greta Hale Hana Hugo Ida Ilse Imani Inés Iris Isko Ivo Jarek Jette "
    "Jorun Jules Kaya Keziah Kofi Lena Leona Linus Lior Lorcan Lotte Luca Mabel Magnus Maren Mei Milo Mina Moira Nadia "
    "Nils Noor Odile Olin Orla Oskar Otis Petra Phoebe Priya Quinn Rafe Ravi Renée Rhea Rowan Ruben Sanna Selma Senta "
    "Silas Solveig Soren Tamsin Tariq Teo Thea Tilda Ulla Uri Vera Viggo Wanda Wim Xenia Yara Yusuf Zadie Zoë"
)
LAST = split_words(
    "Abara Achterberg Alder Amsel Anselm Arbuckle Ashby Balint Barrow Bellweather Birch Bläsing Bramble Brandvold "
    "Briar Calloway Castellane Chandra Cobble Corrigan Cotter Crane Dahl Danforth Delacroix Dobrev Dunmore Eastlake "
    "Edevane Ekwueme Elm Fairweather Falk Farrow Fenn Finch Foxglove Galloway Garrick Gessner Gorse Grünwald Hale "
    "Halvorsen Harrow Hartfield Hazel Heath Hollis Hörmann Ibsen Inglenook Iyer Jarrow Juniper Kahananui Kestrel "
    "Kirkbride Kowal Lark Larkspur Laurel Lindqvist Linden Lovage Marlowe Marsh Meadows Mistry Moor Müller Nakano "
    "Narayan Nettle Norcross Nøkleby Oakes Obi Okafor Orchard Osgood Öberg Pallister Pemberly Penrose Plover Quill "
    "Quimby Ramsgate Redfern Rook Rowntree Rushmore Sallow Sandoval Sedge Sorrel Starling Stonebridge Tansy Teal "
    "Thackeray Thistle Thorne Tolliver Umber Underhill Vale Varga Vesper Vireo Wakefield Waxwing Whitlock Willowby "
    "Winterbourne Wren Wyndham Yarrow Yilmaz Zander Zielony"
)
ODD_FIRST = ("Anna Maria", "Mary-Lou", 'William "Bill"', "Jean-Luc", "Ana Sofía", "D'Arcy", "Tho Minh")
ODD_LAST = (
    "O'Dell",
    "D'Angelis",
    "van der Meer",
    "de la Huerta",
    "Smith-Öberg",
    "King, Jr.",
    "St. Clair",
    "Ó Briain",
    "Nguyen Tran",
    'Hart "Hartley"',
)
STREETS = split_words(
    "Alder Birch Chestnut Dogwood Elder Foxtail Gable Hickory Iris Juniper Kiln Larch Mill Orchard Peachtree"
)
STREET_TYPES = ("Street", "Avenue", "Lane", "Court", "Road", "Trail", "Way, Building B")
TOWNS = (
    ("Willow Falls", "GA", "300"),
    ("Marlow Springs", "GA", "301"),
    ("East Harrow", "GA", "303"),
    ("St. Brannock", "GA", "305"),
    ("Fenn's Crossing", "GA", "308"),
    ("Lake Öresund", "GA", "310"),
    ("Two Rivers, North", "AL", "368"),
)


def make_name(rng: Random) -> tuple[str, str]:
    first = pick(rng, ODD_FIRST) if rng.random() < 0.03 else pick(rng, FIRST)
    last = pick(rng, ODD_LAST) if rng.random() < 0.05 else pick(rng, LAST)
    return first, last


def make_full_name(rng: Random, last: str | None = None) -> str:
    first, own = make_name(rng)
    return f"{first} {last or own}"


def make_phone(rng: Random) -> str:
    return f"{pick(rng, ('404', '470', '678', '770'))}-555-01{int(rng.random() * 100):02d}"


def make_email(first: str, last: str, number: int) -> str:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}".lower().replace("ø", "o"))
    return (
        "".join(char for char in plain if char.isascii() and (char.isalnum() or char == ".")) + f"{number}@example.com"
    )


def make_address(rng: Random) -> tuple[str, str, str, str]:
    """Return street, town, state and zip code."""
    line = f"{1 + int(rng.random() * 980)} {pick(rng, STREETS)} {pick(rng, STREET_TYPES)}"
    if rng.random() < 0.3:
        line += f", Apt {1 + int(rng.random() * 40)}"
    town, state, prefix = pick(rng, TOWNS)
    return line, town, state, f"{prefix}{int(rng.random() * 100):02d}"


def make_npi(rng: Random) -> str:
    """Return nine digits and their check digit."""
    front = "1" + "".join(str(int(rng.random() * 10)) for _ in range(8))
    digits = [int(digit) for digit in "80840" + front]
    total = sum(sum(divmod(digit * 2, 10)) for digit in digits[::-2]) + sum(digits[-2::-2])
    return f"{front}{-total % 10}"


def pick(rng: Random, choices: Sequence[T]) -> T:
    return choices[int(rng.random() * len(choices))]
