// What JSX stands for: the build puts it wherever there is any.
export { createElement, Fragment } from 'preact';
