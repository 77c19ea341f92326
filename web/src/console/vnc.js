// A machine's screen, by noVNC.
import RFB from '@novnc/novnc';

import { words } from '../page/words.js';

/** @typedef {import('./typing.js').Stroke} Stroke */

// Between two strokes: an emulated keyboard holds 16 bytes, which are three strokes with Shift, and loses what comes
// before the guest has taken them.
const PAUSE_MS = 40;

// What X11 calls the keys that have no character.
const NAMED = {
    ControlLeft: 0xffe3, AltLeft: 0xffe9, ShiftLeft: 0xffe1, AltRight: 0xfe03, Delete: 0xffff, Backspace: 0xff08,
    Tab: 0xff09, Enter: 0xff0d, Escape: 0xff1b, PrintScreen: 0xff61, MetaLeft: 0xffeb, Space: 0x20,
    ...Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`F${at + 1}`, 0xffbe + at])),
};

// The combinations that a browser or its system keeps for itself.
export const COMBINATIONS = [
    ['ControlLeft', 'AltLeft', 'Delete'],
    ['ControlLeft', 'AltLeft', 'Backspace'],
    ...[1, 2, 3, 4, 5, 6, 7].map(number => ['ControlLeft', 'AltLeft', `F${number}`]),
    ['AltLeft', 'Tab'],
    ['AltLeft', 'F4'],
    ['AltLeft', 'PrintScreen'],
    ['PrintScreen'],
    ['MetaLeft'],
    ['Escape'],
];

/** @param {string} character @returns what X11 calls the key that gives it */
function keysymOf(character) {
    const point = /** @type {number} */ (character.codePointAt(0));
    return point < 0x100 ? point : 0x01000000 | point;
}

export class Screen {
    /**
     * @param {WebSocket} socket
     * @param {HTMLElement} place
     * @param {{ password: string, readOnly: boolean, fit: boolean, label: string }} how
     * @param {{ shown: () => void, failed: (why: string) => void }} told
     */
    constructor(socket, place, how, told) {
        this.rfb = new RFB(place, socket, { shared: true, credentials: { password: how.password } });
        const canvas = /** @type {HTMLCanvasElement} */ (place.querySelector('canvas'));
        canvas.tabIndex = 0;
        canvas.setAttribute('role', 'application'); // all keys are the guest's
        canvas.setAttribute('aria-label', how.label);
        this.rfb.viewOnly = how.readOnly;
        this.rfb.background = 'transparent';
        this.rfb.focusOnClick = true;
        this.fit(how.fit);
        this.rfb.addEventListener('connect', () => told.shown());
        this.rfb.addEventListener('securityfailure', (/** @type {any} */ event) => {
            told.failed(`${words.refusedByScreen} ${event.detail.reason ?? event.detail.status}`);
        });
        this.rfb.addEventListener('credentialsrequired', () => {
            told.failed(words.asksForPassword);
            this.rfb.disconnect();
        });
    }

    /** @param {boolean} wanted else one point is one point */
    fit(wanted) {
        this.rfb.scaleViewport = wanted;
    }

    close() {
        this.rfb.disconnect();
    }

    focus() {
        this.rfb.focus({ preventScroll: true });
    }

    /** The guest is told that no key is held any more. */
    letGo() {
        window.dispatchEvent(new Event('blur')); // noVNC's way of hearing that
        this.rfb.blur();
    }

    /** @param {string[]} codes */
    press(codes) {
        for (const code of codes) this.rfb.sendKey(NAMED[code], code, true);
        for (const code of [...codes].reverse()) this.rfb.sendKey(NAMED[code], code, false);
    }

    /**
     * @param {Stroke[]} strokes
     * @param {(done: number) => boolean} goOn is told how far it is, and says whether to go on
     */
    async type(strokes, goOn) {
        for (const [at, { character, code, shift, altgr }] of strokes.entries()) {
            if (!goOn(at)) return;
            const held = [...(shift ? ['ShiftLeft'] : []), ...(altgr ? ['AltRight'] : [])];
            const keysym = NAMED[code] ?? keysymOf(character);
            for (const each of held) this.rfb.sendKey(NAMED[each], each, true);
            this.rfb.sendKey(keysym, code, true);
            this.rfb.sendKey(keysym, code, false);
            for (const each of held.reverse()) this.rfb.sendKey(NAMED[each], each, false);
            await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
        }
    }
}
