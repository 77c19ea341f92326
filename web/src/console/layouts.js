// What a guest's keyboard layout has on which key, in the order of CODES: plain, with Shift, with AltGr. A blank is a key
// without anything of use. A combining mark is a dead key: the next key gives it a letter, or Space makes it a character.

const rows = (/** @type {string[]} */ ...parts) => parts.join('');

export const CODES = [
    'Backquote', ...[...'1234567890'].map(digit => `Digit${digit}`), 'Minus', 'Equal',
    ...[...'QWERTYUIOP'].map(letter => `Key${letter}`), 'BracketLeft', 'BracketRight',
    ...[...'ASDFGHJKL'].map(letter => `Key${letter}`), 'Semicolon', 'Quote', 'Backslash',
    'IntlBackslash', ...[...'ZXCVBNM'].map(letter => `Key${letter}`), 'Comma', 'Period', 'Slash',
];

/** @type {Record<string, { name: string, levels: string[] }>} */
export const LAYOUTS = {
    us: {
        name: 'English (US)',
        levels: [
            rows('`1234567890-=', 'qwertyuiop[]', 'asdfghjkl;\'\\', ' zxcvbnm,./'),
            rows('~!@#$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:"|', ' ZXCVBNM<>?'),
        ],
    },
    gb: {
        name: 'English (UK)',
        levels: [
            rows('`1234567890-=', 'qwertyuiop[]', 'asdfghjkl;\'#', '\\zxcvbnm,./'),
            rows('¬!"£$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:@~', '|ZXCVBNM<>?'),
            rows('    €        ', '            ', '            ', '           '),
        ],
    },
    de: {
        name: 'Deutsch',
        levels: [
            rows('\u03021234567890ß\u0301', 'qwertzuiopü+', 'asdfghjklöä#', '<yxcvbnm,.-'),
            rows('°!"§$%&/()=?\u0300', 'QWERTZUIOPÜ*', 'ASDFGHJKLÖÄ\'', '>YXCVBNM;:_'),
            rows('  ²³   {[]}\\ ', '@ €        ~', '            ', '|      µ   '),
        ],
    },
    fr: {
        name: 'Français',
        levels: [
            rows('²&é"\'(-è_çà)=', 'azertyuiop\u0302$', 'qsdfghjklmù*', '<wxcvbn,;:!'),
            rows(' 1234567890°+', 'AZERTYUIOP\u0308£', 'QSDFGHJKLM%µ', '>WXCVBN?./§'),
            rows('  ~#{[|`\\^@]}', '  €         ', '            ', '           '),
        ],
    },
};
