// The script of pages with several censuses: that of all pages, and the view that compares them.
import './views/with-compare.ts';
import './main.tsx';
