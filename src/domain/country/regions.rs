//! What people call regions beyond the lists of ISO 3166: names in English, regions on both sides of a border, and
//! territories that are countries, too.

/// By country: English names of subdivisions that the standard lists in another language only.
pub(super) const EXONYMS: &[(&str, &str)] = &[
    (
        "DE",
        "Bavaria, Hesse, Lower Saxony, North Rhine-Westphalia, Rhineland-Palatinate, Saxony, Saxony-Anhalt, Thuringia",
    ),
    (
        "AT",
        "Lower Austria, Upper Austria, Carinthia, Styria, Tyrol",
    ),
    (
        "NL",
        "Friesland, North Brabant, North Holland, South Holland",
    ),
    ("BE", "East Flanders, West Flanders, Flanders, Wallonia"),
    (
        "FR",
        "Brittany, Burgundy, Corsica, Normandy, Basque Country",
    ),
    (
        "ES",
        "Andalusia, Balearic Islands, Basque Country, Canary Islands, Castile and León, Catalonia, Navarre",
    ),
    (
        "IT",
        "Apulia, Aosta Valley, Lombardy, Piedmont, Sardinia, Sicily, Tuscany",
    ),
    ("PL", "Masovia, Silesia, Lesser Poland"),
    ("CH", "Geneva, Lucerne, Grisons"),
];

/// By country: names of regions that lie in it, too, though the standard lists them for a neighbour only. A name that
/// nobody has is not made known by standing here.
pub(super) const SHARED: &[(&str, &str)] = &[
    ("GB", "Ulster"),
    ("CZ", "Silesia"),
    ("DE", "Silesia, Pomerania, Friesland"),
    ("SE", "Lapland"),
    ("NO", "Lapland"),
    ("IT", "Tyrol, Tirol"),
    ("FR", "Flanders, Catalonia, Navarre, Cataluña, Catalunya"),
    ("NL", "Flanders, Zeeuws-Vlaanderen"),
    ("PL", "Galicia, Pomerania"),
    ("UA", "Galicia"),
    ("RU", "Karelia"),
    ("FI", "Karelia, Lapland"),
    ("GR", "Macedonia, Thrace"),
    ("IE", "Ulster"),
];

/// By country whose subdivisions they share: territories that the standard also lists as countries.
pub(super) const TERRITORIES: &[(&str, &str)] = &[
    ("US", "AS, GU, MP, PR, UM, VI"),
    ("FR", "BL, GF, GP, MF, MQ, NC, PF, PM, RE, TF, WF, YT"),
    ("NL", "AW, BQ, CW, SX"),
    ("CN", "HK, MO, TW"),
    ("FI", "AX"),
    ("NO", "SJ"),
];

/// Words that make names in many countries, listed in the standard or not.
pub(super) const GENERIC: &[&str] = &[
    "north",
    "south",
    "east",
    "west",
    "northern",
    "southern",
    "eastern",
    "western",
    "central",
    "centre",
    "center",
    "centro",
    "norte",
    "sur",
    "sud",
    "nord",
    "est",
    "ouest",
    "capital",
    "coast",
    "region",
    "province",
    "state",
    "district",
    "metropolitan",
    "saint",
    "san",
    "santa",
];
