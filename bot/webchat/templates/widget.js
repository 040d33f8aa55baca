/* Porchlight's chat on another page: <script src="…/chat/widget.js" async data-locale="be" data-country="BY" data-campaign="school_7"></script>
   It sets no cookie, stores nothing, and loads nothing more until somebody opens it. */
(function () {
  'use strict';

  var WORDS = {{ words | tojson }};
  var ESCAPES_WITHIN = 3000;
  var DARK = '#1d2a3d';
  var LIGHT = '#f7f3ea';
  var AMBER = '#f4bc58';

  var script = document.currentScript;
  if (!script || !script.src || window.porchlightChat) return;
  window.porchlightChat = true;

  var origin = new URL(script.src).origin;
  var given = script.dataset;
  var locale = localeOf([given.locale, document.documentElement.lang, navigator.language]);
  var words = WORDS[locale];
  var small = window.matchMedia('(max-width: 520px), (max-height: 480px)');
  var host, button, panel, frame, escapes = [];

  function localeOf(wishes) {
    for (var wish of wishes) {
      var base = String(wish || '').toLowerCase().split('-')[0];
      if (Object.prototype.hasOwnProperty.call(WORDS, base)) return base;
    }
    return 'en';
  }

  // The page's own style sheets end at the shadow root and its content policy does not forbid what a script
  // sets on single elements, so everything is set here and nothing is left to inherit.
  function style(element, rules) {
    for (var name in rules) element.style.setProperty(name, rules[name], 'important');
    return element;
  }

  function drawing(shapes) {
    var names = 'http://www.w3.org/2000/svg';
    var svg = document.createElementNS(names, 'svg');
    svg.setAttribute('viewBox', '0 0 32 32');
    svg.setAttribute('aria-hidden', 'true');
    svg.setAttribute('focusable', 'false');
    shapes.forEach(function (shape) {
      var path = document.createElementNS(names, 'path');
      for (var name in shape) path.setAttribute(name, shape[name]);
      svg.appendChild(path);
    });
    return svg;
  }

  function ring(element, colour) {
    element.addEventListener('focus', function () {
      style(element, { outline: '3px solid ' + colour, 'outline-offset': '2px' });
    });
    element.addEventListener('blur', function () { style(element, { outline: 'none' }); });
  }

  function makeButton() {
    button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-label', words.open);
    button.setAttribute('aria-expanded', 'false');
    button.title = words.open;
    style(button, {
      position: 'absolute', right: '0', bottom: '0', width: '56px', height: '56px', padding: '0', margin: '0',
      border: '2px solid ' + LIGHT, 'border-radius': '50%', background: DARK, cursor: 'pointer',
      'box-shadow': '0 2px 10px rgba(0, 0, 0, .35)', display: 'block'
    });
    button.appendChild(style(drawing([
      { d: 'M14.6 2h2.8v2.6h-2.8zM8 10.4 12.7 5h6.6L24 10.4zM9.4 24.8h13.2l1.2 3.2H8.2z', fill: LIGHT },
      { d: 'M10 11.6h12l-1.3 12H11.3z', fill: '#8a6a2f' },
      { d: 'M16 13.6c2.2 2.4 3.2 4 3.2 5.7a3.2 3.2 0 0 1-6.4 0c0-1.7 1-3.3 3.2-5.7z', fill: AMBER }
    ]), { width: '34px', height: '34px', display: 'block', margin: 'auto' }));
    button.addEventListener('click', open);
    ring(button, AMBER);
    return button;
  }

  function makePanel() {
    panel = document.createElement('div');
    panel.setAttribute('role', 'dialog');
    panel.setAttribute('aria-label', words.title);
    frame = document.createElement('iframe');
    frame.title = words.title;
    frame.referrerPolicy = 'no-referrer';
    frame.src = address();
    style(frame, { width: '100%', height: '100%', border: '0', display: 'block', background: DARK });
    var close = document.createElement('button');
    close.type = 'button';
    close.setAttribute('aria-label', words.close);
    close.title = words.close;
    style(close, {
      position: 'absolute', top: '4px', right: '4px', width: '44px', height: '44px', padding: '0', margin: '0',
      border: '0', 'border-radius': '50%', background: 'transparent', cursor: 'pointer'
    });
    close.appendChild(style(drawing([
      { d: 'M9 9l14 14M23 9L9 23', stroke: LIGHT, 'stroke-width': '3', 'stroke-linecap': 'round', fill: 'none' }
    ]), { width: '28px', height: '28px', display: 'block', margin: 'auto' }));
    close.addEventListener('click', shut);
    ring(close, AMBER);
    panel.appendChild(close);
    panel.appendChild(frame);
    return panel;
  }

  function address() {
    var query = new URLSearchParams({ embed: '1', locale: locale });
    if (given.country) query.set('country', given.country);
    if (given.campaign) query.set('campaign', given.campaign);
    return origin + '/?' + query;
  }

  function place() {
    style(host, small.matches && isOpen() ? { right: '0', bottom: '0' } : { right: '16px', bottom: '16px' });
    if (!panel) return;
    style(panel, small.matches
      ? { position: 'fixed', top: '0', left: '0', right: '0', bottom: '0', width: 'auto', height: 'auto',
          'max-height': 'none', 'border-radius': '0' }
      : { position: 'fixed', top: 'auto', left: 'auto', right: '16px', bottom: '16px', width: '400px',
          height: '640px', 'max-height': 'calc(100vh - 32px)', 'border-radius': '16px' });
    style(panel, { overflow: 'hidden', background: DARK, 'box-shadow': '0 8px 40px rgba(0, 0, 0, .4)' });
  }

  function isOpen() {
    return Boolean(panel) && button.getAttribute('aria-expanded') === 'true';
  }

  function open() {
    if (!panel) host.shadowRoot.appendChild(makePanel());
    button.setAttribute('aria-expanded', 'true');
    style(button, { display: 'none' });
    style(panel, { display: 'block' });
    place();
    frame.focus();
  }

  function shut() {
    button.setAttribute('aria-expanded', 'false');
    style(panel, { display: 'none' });
    style(button, { display: 'block' });
    place();
    button.focus();
  }

  // Escape closes the panel; pressed three times quickly it leaves the page, as in the chat itself.
  function escape() {
    var now = Date.now();
    if (isOpen()) {
      shut();
      escapes = [];
    } else if (!escapes.length) {
      return;
    }
    escapes = escapes.filter(function (then) { return now - then < ESCAPES_WITHIN; }).concat(now);
    if (escapes.length >= 3) leave();
  }

  function leave() {
    style(document.documentElement, { display: 'none' });
    window.location.replace(words.exit);
  }

  function mount() {
    host = document.createElement('porchlight-chat');
    style(host, { all: 'initial' });
    style(host, { position: 'fixed', width: '56px', height: '56px', 'z-index': '2147483000', display: 'block' });
    host.attachShadow({ mode: 'open' }).appendChild(makeButton());
    document.body.appendChild(host);
    place();
    if (small.addEventListener) small.addEventListener('change', place);
    document.addEventListener('keydown', function (event) { if (event.key === 'Escape') escape(); });
    window.addEventListener('message', function (event) {
      if (!frame || event.source !== frame.contentWindow || event.origin !== origin || !event.data) return;
      if (event.data.porchlight === 'escape') escape();
      if (event.data.porchlight === 'leave') leave();
    });
  }

  if (document.body) mount();
  else document.addEventListener('DOMContentLoaded', mount);
})();
