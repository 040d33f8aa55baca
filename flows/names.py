"""Which words are first names, fathers' names and surnames? Lists and endings for ``flows.masking``.

Names of the two programmes' countries, most frequent first; no list of names is ever complete, so it is only
used together with a second sign (a word before it, a capital letter, a surname's ending).
"""

from __future__ import annotations

import re

# First names that are also everyday words (Will, Mark, Hope, May; Вера, Роман; আলো) are left out on purpose.
_LATIN = """
alice amelia amy andrew anna anne anthony ben benjamin charlotte chloe chris christopher daniel david diana
edward elizabeth ella emily emma ethan eva george hannah harry helen henry isabella jacob jake james jane
jennifer jessica joe john joseph julia karen kate katie kevin laura leo lily linda lisa liam lucas lucy
maria martin mary mason matthew megan mia michael mike mohammed natalie nick nicholas noah oliver olivia
oscar patrick paul peter rachel rebecca richard robert ryan sam samuel sara sarah simon sophia sophie
stephen steven susan thomas tim tom tyler victoria william zoe abdul abdullah afsana akash alamin anika
anisur arafat ariful arif asif ayesha ayman faria farhan farhana farzana fahim fahmida faisal fatema fatima
habib hasib imran ismail jahid jamal jannatul kamal kamrul karim khadija labib mahfuz mahmud mamun maruf
masud mehedi mim mizan monir mosharraf mushfiq nabila nadia naeem nahid nasir nasrin nayeem nusrat parvez
rafi rahim rahima rakib rasel rashed raihan ridoy rifat riya robiul rony rubel sabbir sabina sadia saiful
sajid sakib salma sanjida shakib shamim sharmin shohag shuvo siam sifat sohel sumaiya sumon tahmid taslima
tanjila tanvir tasnim tawhid tisha yasin zahid mst md aleksandr aleksandra aleksey alexander alexandra
alexey alena alesya alina anastasia anastasiya andrey andrei angelina anya anton arina artem artyom arseniy
bogdan daniil danila daria darya dasha denis dima dmitry dmitri ekaterina elena egor fedor gleb grigory igor
ilya irina ivan katya kirill kristina ksenia ksenija lena lera liza margarita marina masha maksim maxim
mikhail misha nadezhda nastya natasha natalia nikita nikolai nikolay oksana oleg olga olya pavel petr pasha
polina roma rita sasha sergei sergey seryozha sofia sonya stepan svetlana tanya tatiana tatyana timofey
timur vadim valeria vanya vasily veronika vika viktor viktoria vitaly vlad vladimir vladislav volodya vova
yana yaroslav yegor yulia zhenya
"""
_CYRILLIC = """
александр александра алексей алёна алена алеся алина алиса алла анастасия анатолий ангелина андрей анжелика
аня анна антон антонина арина арсений артём артем артур богдан борис вадим валентина валерий валерия валя
ваня василий василиса вероника вика виктор виктория виталий влад владимир владислав владик вова володя
вячеслав галина гена геннадий георгий глеб григорий гриша даниил данила данил даша дарья денис диана дима
дмитрий евгений евгения егор екатерина елена елизавета женя жанна захар зоя иван игорь илья инна ирина ира
карина катя кирилл клим костя константин кристина ксения ксюша лариса лена леонид лера лёша леша лиза лидия
лида люба людмила люда максим макс маргарита рита марина мария марк марта маша матвей милана миша михаил
надежда назар настя наталья наташа ника никита николай коля нина оксана олег олеся ольга оля павел паша пётр
петр петя полина рома родион руслан савелий саша светлана света семён семен сергей серёжа сережа слава софия
софья соня станислав степан стёпа таисия тамара таня татьяна тимофей тимур толя фёдор федор эдуард эльвира
эмилия юлия юля юра юрий яна ярослав ярослава ян аляксандр аляксандра аляксей анастасія андрэй ангеліна
антаніна арсеній арцём вадзім валерыя валянціна васіль вераніка вікторыя віктар віталь уладзімір уладзіслаў
галіна ганна даніла дар'я дзіма дзмітрый дзяніс дзіяна ягор кацярына каця лізавета іван ігар ілья ірына
карына кірыл крысціна ксенія людміла максім марыя марына мацвей мікіта мікалай міхась міхаіл насця наталля
ніна паліна пятро раман сафія святлана сяргей сямён станіслаў сцяпан таццяна цімафей фёдар юлія юрый яўген
яўгенія яраслаў янка алесь
"""
_BANGLA = """
আফসানা আবদুল আব্দুল আবির আকাশ আনিকা আরাফাত আরিফ আরিফুল আলামিন আসিফ আয়েশা ইমরান করিম কামাল কামরুল খাদিজা
জাহিদ জান্নাত জান্নাতুল জামাল তানভীর তানজিলা তাসনিম তাসলিমা তাহমিদ তিশা নাঈম নাদিয়া নাবিলা নাসরিন নাসির
নাহিদ নুসরাত পারভেজ ফাতেমা ফাতিমা ফারহান ফারহানা ফারিয়া ফারজানা ফাহিম ফয়সাল মামুন মারুফ মাসুদ মাহফুজ
মাহমুদ মিজান মিম মেহেদী মনির মুশফিক মোহাম্মদ মোঃ মো মোছাঃ রহিম রহিমা রাকিব রাসেল রাশেদ রাফি রায়হান রিফাত
রিয়া রিদয় রুবেল রনি রবিউল লাবিব শাকিব শামীম শারমিন শুভ শিমু সাকিব সাজিদ সাদিয়া সাব্বির সাবিনা সাইফুল
সালমা সানজিদা সিফাত সিয়াম সুমন সুমাইয়া সোহাগ সোহেল হাবিব হাসিব ইয়াসিন অনিক অর্পিতা প্রিয়া পূজা সুমি
"""
_SURNAMES = """
smith jones taylor brown williams wilson johnson davies miller moore anderson thompson jackson harris
martinez garcia ahmed ahmad ahammed akhter akter akhtar alam ali bhuiyan biswas chakraborty chowdhury
choudhury das ghosh haque haq hasan hassan hossain hussain islam jahan khan khatun khanam mia miah mondal
mollah paul rahman roy saha sarkar sarker sheikh shaikh sikder sikdar sultana talukder uddin begum
আহমেদ আহম্মেদ আহমদ আক্তার আখতার আলম আলী উদ্দিন ইসলাম খান খাতুন খানম ঘোষ চক্রবর্তী চৌধুরী জাহান তালুকদার দাস
পাল বিশ্বাস বেগম ভূঁইয়া মণ্ডল মন্ডল মিয়া মোল্লা রহমান রায় শেখ সরকার সাহা সিকদার সুলতানা হক হাসান হোসেন
হোসাইন
"""


def _nukta(word: str) -> str:
    """The Bangla word in the one of two spellings of য়, ড় and ঢ় that phones produce less often."""
    return word.replace("য\u09bc", "\u09df").replace("ড\u09bc", "\u09dc").replace("ঢ\u09bc", "\u09dd")


def _cases(name: str) -> set[str]:
    """A Russian or Belarusian name in all its cases, and some that do not exist."""
    stem = name[:-1]
    if name.endswith(("а", "я")):
        return {
            name,
            *(stem + end for end in "ыиеуюэ"),
            *(stem + end for end in ("ой", "ей", "ёй", "ою", "ею")),
        }
    if name.endswith(("й", "ь")):
        return {name, *(stem + end for end in "яюеі"), *(stem + end for end in ("ем", "ём"))}
    return {name, *(name + end for end in "ауеы"), name + "ом", name + "ам"}


FIRST_NAMES = frozenset(
    {
        *_LATIN.split(),
        *(case for name in _CYRILLIC.split() for case in _cases(name)),
        *_BANGLA.split(),
        *map(_nukta, _BANGLA.split()),
    }
)
_KNOWN_SURNAMES = frozenset({*_SURNAMES.split(), *map(_nukta, _SURNAMES.split())})

#: Endings that in Russian and Belarusian, in either alphabet, mark a surname after a first name.
_SURNAME = re.compile(
    r"[\w'’-]{2,30}(?:[оеё]в(?:а|у|ым|ой|е)?|[аое]ў|[иыі]н(?:а|у|ым|ой|е)?|[сц]к(?:ий|ая|ого|ому|им|ой|ую|і)|"
    r"енко|энка|енка|[юу]к(?:а|у|ом)?|[иіы]к(?:а|у|ом)?|вич(?:а|у|ем)?|віч(?:а|у|ам)?|[её]нок|ёнак|ец|ко|"
    r"[eo]v(?:a|oy)?|[eo]nko|chuk|[yi]uk|[vw]i[ct](?:h|z)?|sk(?:y|iy|aya|i|ij)|[^aeo\W]in(?:a)?)"
)
#: The same, as far as it is a sign by itself, before a first name.
_SURE_SURNAME = re.compile(
    r"[\w'’-]{2,30}(?:[оеё]в(?:а|у|ым|ой)?|[сц]к(?:ий|ая|ого|ому|им|ой|ую)|енко|чук|юк|вич|віч|ova|enko|chuk|skaya)"
)
#: A father's name after a first name is what teachers are called; it is kept like a first name.
_FATHERS_NAME = re.compile(
    r"\w{3,20}(?:овн|евн|ёвн|ичн|оўн|еўн|ovn|evn|ichn)(?:а|ы|у|е|ой|ай|a|y|u|e|oy)"
    r"|(?:иван|петр|серге|никола|алексе|андре|александр|аляксандр|михайл|міхайл|владимир|уладзімір|виктор|віктар|"
    r"анатол|васил|павл|паўл|дмитр|дзмітр|юр|олег|игор|ігар|евген|яўген|геннад|валер|леонид|федор|фёдор|григор|степан|"
    r"борис|станислав|владислав|вячеслав|константин|максим|роман|антон|денис|кирилл|ivan|petr|serge|nikola|andre|"
    r"aleksandr|mikhail|vladimir|viktor)(?:ь|и|і|)(?:[оеаэ]?[вў]?[иі]ч|ovich|evich)(?:а|у|ем|ам|е|a|u)?"
)
#: Capitalised words beside a name that are no surname: how sentences go on, and where children are.
_NO_SURNAME = frozenset(
    """
    about after again all also always and are asked because been before bullied bullies but called came can
    class could did does doing don dont every everyone for from gave get got had has hates have he hello
    help her here hey hi him his hit hits how hurt hurts just keeps kicked knows laughed laughs likes
    likewise made makes me mom monday my never not now off one only our please posted posts pushed put said
    says school send sends sent she showed since some sorry started stole told than thanks that the their
    them then there these they this those threatened today tomorrow took tuesday was wednesday thursday
    friday saturday sunday we were what when where which while who why will with writes wrote yes you your
    instagram insta facebook tiktok telegram viber whatsapp youtube discord snapchat roblox minecraft
    messenger imo vk january february march april may june july august september october november december
    english russian bangla
    а без бил бьет бьёт буду был была были вам вас ваш вот все всё вчера вы где говорит да даже для до его
    ее её если есть ещё еще же за завтра зачем здравствуйте и из или их к как когда кто лучшая лучший меня
    мне мой моя мои мы на наш надо не нет ни но ну о об обижает он она они от очень по подруга пожалуйста
    помоги помогите понедельник потом потому почему привет про просто с сегодня сейчас сказал сказала снова
    со спасибо там так такой такая тебя то тоже только ты у удалил уже хочет хочу что чтобы это этот эта я
    слова готова здорово основа нова королева половина корова норов школа класс инстаграм инстаграме
    телеграм телеграме тикток вайбер вк ютуб дискорд январь яго яе яны яна мяне мая мае але бо ведаю вельмі
    вось гэта дзе дапамажыце калі каб няма прывітанне сёння таму толькі учора хто што чаму як і ў з
    আমি আমার আমাকে আমরা আর এবং বয়স ক্লাস সে তার তারা ও এই কি কেন কে না নাই আছে ভাই আপু স্যার
    ami amar amake amra ar ebong boyos class se tar tara o ei ki keno ke na nai ache bhai vai apu sir mne
    menya moy moya ya ne on ona oni
    """.split()  # noqa: SIM905 - a list of words is easier to read than 250 quoted ones.
)


def is_first_name(word: str) -> bool:
    """Whether this word, in any case, is a first name."""
    return word.casefold().strip(".") in FIRST_NAMES


def is_fathers_name(word: str) -> bool:
    """Whether this word is a father's name such as ``Сергеевна``."""
    return _FATHERS_NAME.fullmatch(word.casefold()) is not None


def is_surname(word: str) -> bool:
    """Whether this word is a surname where it follows a first name."""
    folded = word.casefold()
    return folded in _KNOWN_SURNAMES or (may_be_surname(word) and _SURNAME.fullmatch(folded) is not None)


def is_surely_surname(word: str) -> bool:
    """Whether this word is a surname where a first name follows."""
    folded = word.casefold()
    return may_be_surname(word) and _SURE_SURNAME.fullmatch(folded) is not None


def may_be_surname(word: str) -> bool:
    """Whether a capitalised word may be a surname at all: no everyday word and no other first name."""
    folded = word.casefold()
    known = folded in _KNOWN_SURNAMES
    return len(word) > 2 and folded not in _NO_SURNAME and (known or folded not in FIRST_NAMES)
