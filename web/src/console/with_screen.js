// Shows a ticket's screen. Loaded by those who look at one: noVNC is large.
import { words } from '../page/words.js';
import { COMBINATIONS, Screen } from './vnc.js';

const SHORT = { ControlLeft: 'Ctrl', AltLeft: 'Alt', MetaLeft: 'Meta', Delete: 'Del', PrintScreen: 'Print' };

/** @param {WebSocket} socket @param {HTMLElement} place @param {any} how */
export function show(socket, place, { machine, ticket, fits, connected, failed }) {
    const screen = new Screen(
        socket, place,
        {
            password: ticket.password ?? '', readOnly: ticket.read_only, fit: fits,
            label: `${machine}: ${words.kinds.vnc}. ${words.leave}`,
        },
        { shown: connected, failed },
    );
    return {
        keys: COMBINATIONS.map(codes => ({
            label: codes.map(code => SHORT[code] ?? code).join('+'), press: () => screen.press(codes),
        })),
        fit: (/** @type {boolean} */ wanted) => screen.fit(wanted),
        focus: () => screen.focus(),
        letGo: () => screen.letGo(),
        paste: (/** @type {string} */ _text, /** @type {any[]} */ strokes, /** @type {any} */ goOn) => screen.type(strokes, goOn),
        close: () => screen.close(),
    };
}
