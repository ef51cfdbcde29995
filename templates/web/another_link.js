// A link put into the address bar of its own answer changes only the fragment: the page has to be asked for anew.
addEventListener('hashchange', () => location.replace(location.pathname + '?' + location.hash));
