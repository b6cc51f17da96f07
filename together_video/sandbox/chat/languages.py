"""The words of which the sandbox puts prompts together, in a few languages.

English has the most. In a language that is not here a prompt is English behind the name of the language, so
that it can be seen that the language was asked for.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """The parts of a prompt, and how they stand together. `moments` are for a subject that says where it is."""

    form: str
    shots: tuple[str, ...]
    actions: tuple[str, ...]
    settings: tuple[str, ...]
    moments: tuple[str, ...]
    lights: tuple[str, ...]
    cameras: tuple[str, ...]
    endings: tuple[str, ...]


ENGLISH = Words(
    form="{shot} of {subject}, {action}, {setting}. {light}; {camera}, {ending}.",
    shots=(
        "Wide establishing shot",
        "Close-up",
        "Medium shot",
        "Low-angle shot",
        "Aerial view",
        "Over-the-shoulder view",
        "Macro shot",
        "Long-lens shot",
        "Eye-level shot",
        "High-angle shot",
    ),
    actions=(
        "slowly coming into view",
        "pausing for a moment, then moving on",
        "turning towards the light",
        "crossing the frame from left to right",
        "emerging from the mist",
        "standing out sharply against the horizon",
        "growing clearer as the haze lifts",
        "caught in a sudden gust of wind",
        "mirrored in still water",
        "framed by drifting leaves",
        "revealed as the shadows retreat",
        "moving in a calm, steady rhythm",
    ),
    settings=(
        "on a wild and empty coast",
        "at the edge of a quiet old town",
        "in a wide green valley",
        "beside perfectly still water",
        "under an immense, slowly moving sky",
        "against a line of distant mountains",
        "amid tall golden grass",
        "in a clearing ringed by birches",
        "in a landscape white with frost",
        "among warm sandstone walls",
        "where a river bends out of sight",
        "in a sea of morning mist",
    ),
    moments=(
        "just after the rain has stopped",
        "early in the morning, before anyone is about",
        "at the very end of a long day",
        "in the first minutes of dawn",
        "while a light breeze picks up",
        "as the clouds break open",
        "in perfect silence",
        "with a storm far off on the horizon",
    ),
    lights=(
        "warm low sunlight with long shadows",
        "soft overcast light",
        "blue hour with the first lamps lit",
        "bright midday sun and crisp contrast",
        "moonlight and a faint silver rim",
        "neon reflections on wet ground",
        "candle-like glow against deep shade",
        "golden backlight with gentle lens flare",
        "pale morning light through fog",
    ),
    cameras=(
        "the camera tracks alongside at walking pace",
        "the camera pushes in slowly",
        "the camera circles in a smooth half orbit",
        "the camera rises on a crane and tilts down",
        "a locked-off camera lets the motion carry the scene",
        "the camera pulls back to show the whole place",
        "a gentle handheld camera follows from behind",
        "the camera glides just above the ground",
    ),
    endings=(
        "then the focus shifts to a small detail",
        "while in the background life goes on unhurriedly",
        "until the last second, when everything falls still",
        "with colours that deepen towards the end",
        "as particles drift past in shallow focus",
        "ending on a wide, open view",
    ),
)

GERMAN = Words(
    form="{shot}: {subject}, {action}, {setting}. {light}; {camera}, {ending}.",
    shots=("Weite Totale", "Nahaufnahme", "Halbtotale", "Aus tiefer Perspektive", "Luftaufnahme"),
    actions=(
        "langsam ins Bild kommend",
        "einen Moment innehaltend, dann weiterziehend",
        "aus dem Nebel auftauchend",
        "vom Wind erfasst",
        "ruhig von links nach rechts ziehend",
    ),
    settings=(
        "an einer wilden, leeren Küste",
        "am Rand einer stillen alten Stadt",
        "in einem weiten grünen Tal",
        "vor fernen Bergen",
        "in einer Landschaft weiß von Reif",
    ),
    moments=(
        "kurz nach dem Regen",
        "früh am Morgen, bevor jemand wach ist",
        "am Ende eines langen Tages",
        "während die Wolken aufreißen",
        "in völliger Stille",
    ),
    lights=(
        "Warmes, tiefes Sonnenlicht mit langen Schatten",
        "Weiches Licht unter Wolken",
        "Blaue Stunde mit den ersten Lampen",
        "Mondlicht und ein silberner Rand",
        "Goldenes Gegenlicht",
    ),
    cameras=(
        "die Kamera fährt im Schritttempo mit",
        "die Kamera fährt langsam heran",
        "die Kamera umkreist die Szene in einem halben Bogen",
        "die Kamera steigt auf und neigt sich",
        "die Kamera gleitet dicht über den Boden",
    ),
    endings=(
        "dann wandert die Schärfe auf ein kleines Detail",
        "bis in der letzten Sekunde alles still wird",
        "während die Farben tiefer werden",
        "und endet mit einem weiten, offenen Blick",
    ),
)

FRENCH = Words(
    form="{shot} : {subject}, {action}, {setting}. {light} ; {camera}, {ending}.",
    shots=("Plan large", "Gros plan", "Plan moyen", "Contre-plongée", "Vue aérienne"),
    actions=(
        "entrant lentement dans le cadre",
        "s'arrêtant un instant avant de repartir",
        "surgissant de la brume",
        "pris dans une rafale de vent",
        "traversant le cadre de gauche à droite",
    ),
    settings=(
        "sur une côte sauvage et déserte",
        "au bord d'une vieille ville tranquille",
        "dans une large vallée verte",
        "devant des montagnes lointaines",
        "dans un paysage blanc de givre",
    ),
    moments=(
        "juste après la pluie",
        "tôt le matin, avant le réveil de la ville",
        "à la fin d'une longue journée",
        "tandis que les nuages se déchirent",
        "dans un silence parfait",
    ),
    lights=(
        "Soleil bas et chaud aux longues ombres",
        "Lumière douce sous les nuages",
        "Heure bleue et premières lampes",
        "Clair de lune au liseré d'argent",
        "Contre-jour doré",
    ),
    cameras=(
        "la caméra suit au pas",
        "la caméra avance lentement",
        "la caméra décrit un demi-cercle",
        "la caméra s'élève puis s'incline",
        "la caméra glisse au ras du sol",
    ),
    endings=(
        "puis la mise au point passe à un petit détail",
        "jusqu'à ce que tout s'immobilise",
        "tandis que les couleurs s'approfondissent",
        "et finit sur une vue large",
    ),
)

SPANISH = Words(
    form="{shot}: {subject}, {action}, {setting}. {light}; {camera}, {ending}.",
    shots=("Plano general", "Primer plano", "Plano medio", "Contrapicado", "Vista aérea"),
    actions=(
        "entrando despacio en el cuadro",
        "deteniéndose un momento antes de seguir",
        "surgiendo de la niebla",
        "sorprendido por una ráfaga de viento",
        "cruzando el cuadro de izquierda a derecha",
    ),
    settings=(
        "en una costa salvaje y vacía",
        "al borde de una vieja ciudad tranquila",
        "en un ancho valle verde",
        "ante montañas lejanas",
        "en un paisaje blanco de escarcha",
    ),
    moments=(
        "justo después de la lluvia",
        "muy temprano, antes de que nadie despierte",
        "al final de un largo día",
        "mientras se abren las nubes",
        "en perfecto silencio",
    ),
    lights=(
        "Sol bajo y cálido con sombras largas",
        "Luz suave bajo las nubes",
        "Hora azul con las primeras lámparas",
        "Luz de luna con borde de plata",
        "Contraluz dorado",
    ),
    cameras=(
        "la cámara acompaña al paso",
        "la cámara avanza lentamente",
        "la cámara gira en medio círculo",
        "la cámara se eleva y se inclina",
        "la cámara se desliza a ras de suelo",
    ),
    endings=(
        "luego el enfoque pasa a un pequeño detalle",
        "hasta que todo queda quieto",
        "mientras los colores se hacen más hondos",
        "y termina en una vista abierta",
    ),
)

#: By the names that people write: in English, in the language itself, and as a code.
_KNOWN = {
    "english": ENGLISH,
    "en": ENGLISH,
    "german": GERMAN,
    "deutsch": GERMAN,
    "de": GERMAN,
    "french": FRENCH,
    "français": FRENCH,
    "francais": FRENCH,
    "fr": FRENCH,
    "spanish": SPANISH,
    "español": SPANISH,
    "espanol": SPANISH,
    "es": SPANISH,
}


def words_of(language: str | None) -> Words:
    """The words of a language, by its name or its code with or without a region (`de-AT`)."""
    name = (language or "english").strip()
    folded = name.casefold()
    known = _KNOWN.get(folded) or _KNOWN.get(folded.replace("_", "-").partition("-")[0])
    if known is not None:
        return known
    # Braces would be taken for fields of the form.
    marker = name.replace("{", "(").replace("}", ")")[:40]
    return ENGLISH._replace(form=f"[{marker}] {ENGLISH.form}")
