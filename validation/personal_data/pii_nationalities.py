"""Words for where people are from, what they believe and which party they stand by."""

from __future__ import annotations

import re

NATIONALITY = re.compile(
    r"\b(?:"
    r"Afghan|Albanian|Algerian|American|Andorran|Angolan|Argentine|Argentinian|Armenian|Australian|"
    r"Austrian|Azerbaijani|Bahamian|Bahraini|Bangladeshi|Barbadian|Belarusian|Belgian|Belizean|"
    r"Beninese|Bhutanese|Bolivian|Bosnian|Botswanan|Brazilian|British|Bruneian|Bulgarian|Burmese|"
    r"Burundian|Cambodian|Cameroonian|Canadian|Chadian|Chilean|Chinese|Colombian|Congolese|Croatian|"
    r"Cuban|Cypriot|Czech|Danish|Dominican|Dutch|Ecuadorian|Egyptian|English|Eritrean|Estonian|"
    r"Ethiopian|European|Fijian|Filipino|Finnish|French|Gabonese|Gambian|Georgian|German|Ghanaian|"
    r"Greek|Grenadian|Guatemalan|Guinean|Guyanese|Haitian|Honduran|Hungarian|Icelandic|Indian|"
    r"Indonesian|Iranian|Iraqi|Irish|Israeli|Italian|Ivorian|Jamaican|Japanese|Jordanian|Kazakh|"
    r"Kenyan|Korean|Kurdish|Kuwaiti|Kyrgyz|Laotian|Latvian|Lebanese|Liberian|Libyan|Lithuanian|"
    r"Luxembourgish|Macedonian|Malagasy|Malawian|Malaysian|Maldivian|Malian|Maltese|Mauritanian|"
    r"Mauritian|Mexican|Moldovan|Mongolian|Montenegrin|Moroccan|Mozambican|Namibian|Nepalese|Nepali|"
    r"Nicaraguan|Nigerian|Nigerien|Norwegian|Omani|Pakistani|Palestinian|Panamanian|Paraguayan|"
    r"Persian|Peruvian|Polish|Portuguese|Qatari|Romanian|Russian|Rwandan|Salvadoran|Samoan|Saudi|"
    r"Scottish|Senegalese|Serbian|Singaporean|Slovak|Slovakian|Slovene|Slovenian|Somali|Spanish|"
    r"Sudanese|Surinamese|Swazi|Swedish|Swiss|Syrian|Taiwanese|Tajik|Tanzanian|Thai|Tibetan|"
    r"Togolese|Tongan|Trinidadian|Tunisian|Turkish|Turkmen|Ugandan|Ukrainian|Uruguayan|Uzbek|"
    r"Venezuelan|Vietnamese|Welsh|Yemeni|Zambian|Zimbabwean|Anglican|Atheist|Baptist|Buddhist|"
    r"Catholic|Christian|Evangelical|Hindu|Jewish|Lutheran|Methodist|Mormon|Muslim|Orthodox|"
    r"Presbyterian|Protestant|Quaker|Shia|Sikh|Sunni|Communist|Conservative|Democrat|Labour|Liberal|"
    r"Republican|Socialist|Tory"
    r")s?\b"
)
"""A nationality, religion or political group, written with a capital."""
