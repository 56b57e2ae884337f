"""Names of the bytes of JSON's grammar. Compiled code has them as constants."""

from typing import Final

TAB: Final = 0x09
LINE_BREAK: Final = 0x0A
CARRIAGE_RETURN: Final = 0x0D
SPACE: Final = 0x20  # bytes below it are control characters
QUOTE: Final = 0x22
PLUS: Final = 0x2B
COMMA: Final = 0x2C
MINUS: Final = 0x2D
POINT: Final = 0x2E
SLASH: Final = 0x2F
ZERO: Final = 0x30
NINE: Final = 0x39
COLON: Final = 0x3A
UPPER_E: Final = 0x45
OPEN_BRACKET: Final = 0x5B
BACKSLASH: Final = 0x5C
CLOSE_BRACKET: Final = 0x5D
LOWER_B: Final = 0x62
LOWER_E: Final = 0x65
LOWER_F: Final = 0x66
LOWER_N: Final = 0x6E
LOWER_R: Final = 0x72
LOWER_T: Final = 0x74
LOWER_U: Final = 0x75
OPEN_BRACE: Final = 0x7B
CLOSE_BRACE: Final = 0x7D
BACKSPACE: Final = 0x08  # what the escapes \b and \f stand for
FORM_FEED: Final = 0x0C
EIGHT_ZEROS: Final = 0x3030303030303030  # the text "00000000", in one load
TO_CLOSING: Final = CLOSE_BRACE - OPEN_BRACE  # from an opening bracket, of either kind, to its end
NOT_ASCII_MIN: Final = 0x80  # from here on bytes are parts of longer characters
FIRST_SURROGATE, LAST_SURROGATE = 0xD800, 0xDFFF  # code points that are halves of a character
FIRST_LOW_SURROGATE: Final = 0xDC00
