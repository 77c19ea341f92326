// The box for a text that is to be pasted.
import { button, element } from '../page/elements.js';
import { words } from '../page/words.js';
import { LAYOUTS } from './layouts.js';
import { strokesFor } from './typing.js';

const KEPT = 'onggi-layout';

/**
 * @param {boolean} byKeys else the text goes as it is
 * @param {(text: string, strokes: import('./typing.js').Stroke[]) => void} type
 * @returns {HTMLDialogElement}
 */
export function pasteBox(byKeys, type) {
    const text = element('textarea', { id: 'text', rows: '8', spellcheck: 'false', autocomplete: 'off' });
    const layout = element(
        'select', { id: 'layout' },
        ...Object.entries(LAYOUTS).map(([value, { name }]) => element('option', { value }, name)),
    );
    layout.value = localStorage.getItem(KEPT) ?? 'us';
    if (!layout.value) layout.value = 'us';
    const problem = element('p', { role: 'alert', class: 'problem' });
    const box = element(
        'dialog', { 'aria-labelledby': 'paste-title', close: () => { text.value = ''; problem.textContent = ''; } },
        element(
            'form', { method: 'dialog', submit },
            element('h2', { id: 'paste-title' }, words.pasteTitle),
            element('label', { for: 'text' }, words.text), text,
            ...(byKeys ? [element('label', { for: 'layout' }, words.layout), layout, element('p', {}, words.pasteAsKeys)] : []),
            problem,
            element(
                'p', { class: 'choices' },
                element('button', { class: 'first' }, words.type), button(words.cancel, () => box.close()),
            ),
        ),
    );

    /** @param {SubmitEvent} event */
    function submit(event) {
        const { strokes, missing } = byKeys ? strokesFor(text.value, layout.value) : { strokes: [], missing: [] };
        if (missing.length) {
            event.preventDefault();
            problem.textContent = words.untypeable(missing.join(' '), LAYOUTS[layout.value].name);
            return;
        }
        if (byKeys) localStorage.setItem(KEPT, layout.value);
        type(text.value, strokes);
    }

    return box;
}
