// Libraries without types of their own.
declare module 'd3-scale-chromatic';
declare module 'react-dom/client';
declare module '*.css';
