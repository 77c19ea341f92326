// Which keys a text is typed with, by the layout that the guest has set: a guest sees keys, and not characters.
import { CODES, LAYOUTS } from './layouts.js';

/** @typedef {{ character: string, code: string, shift: boolean, altgr: boolean }} Stroke */

const MODIFIERS = [[false, false], [true, false], [false, true]];
const DEAD = { '´': '\u0301', '`': '\u0300', '^': '\u0302', '¨': '\u0308' };
const MARKS = new Set(Object.values(DEAD));

const PLAIN = { ' ': 'Space', '\n': 'Enter', '\t': 'Tab' };

/**
 * @param {string} text
 * @param {string} layout
 * @returns {{ strokes: Stroke[], missing: string[] }} `missing`: characters that no key gives
 */
export function strokesFor(text, layout) {
    const keys = keysOf(layout);
    const strokes = [];
    const missing = new Set();
    for (const character of text.normalize('NFC').replace(/\r\n?/g, '\n')) {
        const found = typed(character, keys);
        if (found) strokes.push(...found);
        else missing.add(character);
    }
    return { strokes, missing: [...missing] };
}

/** @param {string} layout @returns {Map<string, Stroke>} */
function keysOf(layout) {
    const keys = new Map();
    for (const [character, code] of Object.entries(PLAIN)) keys.set(character, { character, code, shift: false, altgr: false });
    LAYOUTS[layout].levels.forEach((level, number) => {
        const [shift, altgr] = MODIFIERS[number];
        [...level].forEach((character, at) => {
            if (!keys.has(character)) keys.set(character, { character, code: CODES[at], shift, altgr });
        });
    });
    return keys;
}

/** @param {string} character @param {Map<string, Stroke>} keys @returns {Stroke[] | null} */
function typed(character, keys) {
    const key = keys.get(character);
    if (key) return MARKS.has(character) ? null : [key];
    const dead = keys.get(DEAD[character]);
    if (dead) return [dead, keys.get(' ')];
    const [letter, mark, ...more] = character.normalize('NFD');
    if (mark && !more.length && keys.has(letter) && keys.has(mark)) return [keys.get(mark), keys.get(letter)];
    return null;
}
