"""What the synthesisers say: sentences rich in sounds of the lips, and the text of a licence that Debian carries."""

from __future__ import annotations

import re
from pathlib import Path

ENGLISH = """Bob and Pam bought a big blue boat from my brother's shop.
Peter Piper picked a peck of pickled peppers before breakfast.
My mother makes a marvellous lemon marmalade every May.
Five brave firefighters found the very valuable violin in the vault.
Who knew you would choose to move the blue shoes to the roof?
She sells sea shells, and the ship sails south in September.
People compare private problems, perhaps because public debate became impossible.
The quick brown fox jumps over the lazy dog near the river bank.
We were away in winter while the wind blew wildly over the west woods.
Please keep these three green trees free of bees.
How now, brown cow? Out of the house and about the town.
The boy enjoyed the noisy toy and avoided the oily coin.
I fear the weird steering gear near the pier is here to stay.
Father's calm palm parted the dark barn door at Mark's farm.
Happy ham, apple jam, and a black cat on a flat mat.
Hot coffee, odd socks, and a long walk along the foggy dock.
Could you put the good book by the wooden hook?
Thirty thousand thoughtful thieves thanked the other mother.
Judge George urged the jury to measure the usual pleasure of leisure.
Much of the church kitchen was rich in cheese and chips.
Hello, how are you today? I am fine, thank you, and you?
Maybe the number of members in the chamber remembered November.
Big bad bugs grab a cab; a rubber baby buggy bumper bumped.
Improve the map, stamp the lamp, and simply jump the ramp.
The obvious love of movies moved every living believer.
Eighty great apes ate grapes and made a cake by the lake.
Old gold boats float slowly home below the snow.
It is impossible to imagine a more important problem for the company.
Up above the bubbling brook a plump robin began to hum.
Tim swims with kippers and pips; Kim sips and skips.
Thank you for calling. Your appointment is on Wednesday the fourth of February at half past five.
The weather tomorrow will be mostly sunny, with a few clouds in the afternoon.
I can help you with orders, bills, refunds, and anything about your account.
One moment, please. Let me have a look at what I can find for you.
Sorry, I did not understand that. Would you mind saying it again?
Our museum opens at nine and closes at a quarter past six, except on Mondays.
Zebras zigzag through lazy zones as busy bees buzz.
Yesterday a young Yankee used yellow yarn beyond the yard.
Queens quickly quit quarrels; quiet squirrels squeak.
Laugh with the rough and tough enough chef of the cliff.
""".splitlines()

ROUND = """Sue chewed two blueberries, too few for you and Lou.
A rude new student used a spoon to chew the stew.
Luke and Ruth soon gave true clues to the zoo crew.
Do you view the news at noon or choose music in June?
Woo the duke with fruit juice, tulips, and a smooth tune.
Joan wrote a slow note and showed Rose the open road.
Whole rows of yellow boats rowed over to the snowy coast.
We would walk toward Walter's white wall in a wide wool coat.
""".splitlines()
"""Said by English voices beside the sentences above."""

_OTHERS = {
    "de": """Papa und Mama bauen am Bach ein buntes Boot aus Pappe.
Fünf Vögel fliegen früh über den Fluss und finden Futter.
Möchten Sie vielleicht noch ein bisschen Milch zum Müsli haben?
Heute morgen ging ich ohne Hut durch den Wald und sah die Sonne.
Wir brauchen übermorgen mehr Brot, Butter, Äpfel und Pflaumen.
Die schöne Straße führt zwischen hohen Häusern zum Bahnhof.
Ich möchte gern wissen, wann der nächste Zug nach Hamburg abfährt.
Zwölf Zwerge zogen zwanzig Zentner Zucker.""",
    "es": """Pepe y mamá beben un buen vino blanco bajo el puente.
Bueno, pues mi primo Pablo vive en un pueblo pequeño.
Cuando llueve mucho, los niños juegan con el perro en la cocina.
El viejo jefe busca una foto de la familia Fernández.
¿Puede usted repetir el número, por favor? No lo he comprendido bien.
Hoy hace sol y mañana va a llover toda la semana.
La muchacha compró cinco manzanas, seis peras y ocho uvas.
Me gusta muchísimo la música que suena por la noche.""",
    "fr": """Papa et maman ont bu un bon petit vin blanc.
Bonjour, pouvez-vous me dire où se trouve le musée, s'il vous plaît?
La pluie tombe depuis une semaine sur les toits bleus du village.
Un bon bain chaud fait beaucoup de bien aux pieds fatigués.
Il faut que vous veniez voir ma nouvelle voiture verte.
Je voudrais du pain, du beurre, et une bouteille d'eau.
Peut-être pourrons-nous partir ensemble au mois de mai.
Les enfants jouent dans la rue avec un chien jaune.""",
    "it": """Papa e mamma bevono un buon vino bianco in primavera.
Il bambino vuole una bambola nuova e un pallone blu.
Questa mattina sono uscito presto per comprare il pane e il burro.
Mi sembra proprio un bel problema, ma possiamo provare insieme.
Gli uomini vivono di sogni, di fumo e di ombre.
Buongiorno, come posso aiutarla? Dica pure il suo numero di telefono.
La famiglia di Fabio va al mare in agosto con la zia.
Sul tavolo ci sono mele, pere, uva e un pezzo di pizza.""",
    "fi": """Pappa ja mummo ompivat puvun pimeässä tuvassa.
Hyvää huomenta, miten voin auttaa teitä tänään?
Pieni poika lupasi viedä pullot kauppaan ennen ruokaa.
Maamme luonto on kaunis, ja metsässä kasvaa mustikoita.
Isoäiti ompeli uuden paidan ja vei sen juhliin.
Onko sinulla aikaa tulla meille kylään ensi viikolla?
Lumi peitti pihan, ja lapset pelasivat jäällä palloa.
Yö oli pimeä ja tuuli puhalsi kovaa mereltä päin.""",
    "cs": """Babička pekla bábovku a maminka pila kávu s mlékem.
Dobrý den, mohu vám pomoci s vaší objednávkou?
Petr a Pavel brzy ráno plavali po modrém moři.
Všechny vlaky vyjíždějí z Prahy v pravidelných intervalech.
Myslím, že bychom měli pozvat také našeho souseda.
Fotbal je velmi populární hra pro chlapce i dívky.
Stará lípa voní a včely bzučí nad obilím.
Ve středu bude pršet a foukat silný vítr.""",
    "ca": """El pare i la mare beuen bon vi blanc prop del pont.
Bon dia, en que us puc ajudar aquest mati?
La pluja cau damunt les muntanyes i el poble dorm.
Avui fem una festa amb pa, tomaquets i formatge.
Em sembla que potser vindran molts amics de Barcelona.
Una vella finestra blava mira cap al mar.
Voldria comprar cinc pomes, sis peres i un pebrot.
Quan plou, els nens juguen a casa amb el gos.""",
    "ru": """Папа и мама купили большую белую булку.
Бабушка пекла пироги, а Павел пил молоко.
Добрый день, чем я могу вам помочь сегодня вечером?
Мой брат любит плавать по морю в плохую погоду.
Утром выпал первый снег, и дети побежали гулять.
Вы можете повторить ваш номер, пожалуйста?
Старый дуб шумит на ветру около нашего дома.
Фима живёт в Москве и пишет фельетоны.""",
    "pl": """Babcia piecze pyszny placek, a mama pije kawę.
Dzień dobry, w czym mogę panu pomóc?
Piotr pływa po jeziorze z małym psem.
Wczoraj padał deszcz, więc byliśmy w muzeum.""",
    "pt": """O papai e a mamãe bebem vinho branco perto da ponte.
Bom dia, como posso ajudar você hoje?
Minha avó faz um bolo de maçã muito bom.
Fomos à praia porque fazia sol e não chovia.""",
    "hi": """पापा और मम्मी बाग में फूल देख रहे हैं।
आप कैसे हैं? मैं आपकी मदद कर सकता हूँ।
बारिश के बाद मौसम बहुत अच्छा हो गया।""",
    "tr": """Babam ve annem büyük bir mavi vapur buldular.
Günaydın, size nasıl yardımcı olabilirim?
Pembe bir balon pencerenin üstünde uçuyor.""",
}

OTHERS = {language: text.splitlines() for language, text in _OTHERS.items()}

TEST = """Maybe my baby brother Bobby bumped a big brown pumpkin.
Mom mopped up the milk that Pip and Bump spilled by the pump.
The famous chef gave Vivian five fluffy waffles and very fine coffee.
Two blue balloons flew through the room to the moon.
Keep the beach clean, please, and leave the seats neat.
Open the box of old clothes and hold the coat below.
A hard dark march past the large garden of a charming farmer.
Sixteen sisters whispered such secrets as she wished to share.
""".splitlines()
"""Said by the voices that are only tested on; never trained on."""


def licence(limit: int) -> list[str]:
    """Return sentences of the GPL, which ``base-files`` installs."""
    text = Path("/usr/share/common-licenses/GPL-3").read_text()
    words = re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9 ,.;:'()\n-]", " ", text))
    kept = [sentence.strip() for sentence in re.split(r"(?<=[.;])\s+", words)]
    return [sentence for sentence in kept if 40 < len(sentence) < 160 and not re.search(r"\d", sentence)][:limit]
